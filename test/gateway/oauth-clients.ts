// The OAuth clients of tests: their file, their secrets, and the headers with their credentials.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Variables } from '../../src/platform/env.js';

export const SECRET = 'a secret of the client, for tests alone';
/** With what clients encode in different ways. */
export const ODD_SECRET = 'odd: 100% of it + ä/é&=, for tests alone';
export const INTROSPECT = '/oauth2/introspect';
export const REVOKE = '/oauth2/revoke';
export const REVOKE_ALL = '/oauth2/global-token-revocation';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const CLIENTS = [
  { id: 'orders', secret_sha256: [sha256(SECRET)], rights: ['introspect'] },
  { id: 'follower', secret_sha256: [sha256(SECRET)], rights: ['watch'] },
  { id: 'odd@client', secret_sha256: [sha256('another'), sha256(ODD_SECRET)], rights: ['introspect'] },
];
/** There only where REVOKER_TOKEN is set. */
const MANAGER = { id: 'manager', secret_sha256: [sha256(SECRET)], rights: ['global_revocation'] };

export const basic = (id: string, secret: string, encoding: BufferEncoding = 'utf8'): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`, encoding).toString('base64')}`,
});

/** A file of clients. */
export interface OAuthClientsFile {
  /** The settings, with OAUTH_CLIENTS unless they have it. */
  readonly variables: Variables;
  remove(): void;
}

/** Writes a file of clients for a gateway with these settings. */
export function writeOAuthClients(variables: Variables): OAuthClientsFile {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-oauth-'));
  const path = join(folder, 'clients.json');
  const clients = 'REVOKER_TOKEN' in variables ? [...CLIENTS, MANAGER] : CLIENTS;
  writeFileSync(path, JSON.stringify({ clients }));
  return { variables: { OAUTH_CLIENTS: path, ...variables }, remove: () => rmSync(folder, { recursive: true }) };
}
