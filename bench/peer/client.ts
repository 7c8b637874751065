// How the peer is spoken to: its one client, how a token is got, and how it is asked about.

import type { Work } from '../load/work.js';

export const CLIENT_ID = 'bench';
export const CLIENT_SECRET = 'a secret of the client of the bench alone';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const form = (fields: Readonly<Record<string, string>>): string =>
  new URLSearchParams({ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, ...fields }).toString();

async function post(address: string, path: string, body: string): Promise<string> {
  const answer = await fetch(`http://${address}${path}`, { method: 'POST', headers: FORM, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the peer answered ${answer.status} to ${path}: ${text}`);
  return text;
}

/** Introspection of one active token, again and again. */
export async function introspections(address: string): Promise<Work> {
  const granted: { access_token?: string } = JSON.parse(
    await post(address, '/token', form({ grant_type: 'client_credentials' })),
  );
  const question = form({ token: granted.access_token ?? '', token_type_hint: 'access_token' });
  const path = '/token/introspection';
  const answer = await post(address, path, question);
  if (!answer.includes('"active":true')) throw new Error(`the peer does not take its own token: ${answer}`);
  return {
    kind: 'fixed',
    route: { protocol: 'http', path, headers: FORM },
    messages: [Buffer.from(question)],
    expected: [{ bytes: Buffer.from(answer), whole: true }],
    order: 'in turn',
  };
}
