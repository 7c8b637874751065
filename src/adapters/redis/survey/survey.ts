// Owns the survey of a server for `store check`: it connects as `serve` does, asks, and judges. Writes nothing.

import type { Redis } from 'ioredis';
import { parseBirth } from '../../../core/entries.js';
import type { Finding } from '../../../core/finding.js';
import { clientMaker, connect, type TlsSource } from '../client.js';
import { bounded, explain } from '../failure.js';
import { judgeFacts } from './fact-judgement.js';
import { gatherFacts } from './facts.js';

/** How long it all may take: a server that hangs must not hang the check. */
const CONNECT_MS = 2_000;
const ANSWER_MS = 5_000;

/** The settings that `serve` would go by. */
export interface SurveyOptions {
  readonly allowUnsafe: boolean;
  readonly minReplicas: number;
  readonly tls?: TlsSource | undefined;
}

const inTime = (client: Redis): Promise<void> =>
  bounded(
    connect(client, async () => {}),
    CONNECT_MS,
    'connecting to Redis',
  );

/** What there is to say of a server, the worst first. Never rejects for what is wrong with the server. */
export async function surveyRedis(
  url: string,
  { allowUnsafe, minReplicas, tls }: SurveyOptions,
): Promise<readonly Finding[]> {
  const client = clientMaker(url, CONNECT_MS, tls)();
  try {
    await inTime(client);
    const facts = await bounded(gatherFacts(client), ANSWER_MS, 'an answer of Redis');
    const around = { open: await isOpen(url, tls), plain: isPlainAbroad(url), births: birthsOf(facts.births) };
    const wanted = { replicas: minReplicas, refusal: minReplicas > 0 ? await waitRefusal(client) : undefined };
    return judgeFacts({ ...facts, ...around, wanted }, allowUnsafe);
  } catch (error) {
    const mend = 'see that it runs, and that REDIS_URL names it with its user and password';
    return [{ weight: 'unsafe', says: `Redis cannot be used: ${explain(error).detail}`, mend }];
  } finally {
    client.disconnect();
  }
}

/** Whether somebody without a name or a password is let in; undefined: that could not be found out. */
async function isOpen(url: string, tls: TlsSource | undefined): Promise<boolean | undefined> {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  const client = clientMaker(bare.href, CONNECT_MS, tls)();
  client.on('error', () => {});
  try {
    await inTime(client);
    await bounded(client.get('lk:1:open'), CONNECT_MS, 'an answer of Redis');
    return true;
  } catch (error) {
    return error instanceof Error && /^(NOAUTH|NOPERM|DENIED|WRONGPASS)/.test(error.message) ? false : undefined;
  } finally {
    client.disconnect();
  }
}

/** Why the user may not wait for replicas; undefined: it may. For none of them WAIT answers at once. */
const waitRefusal = (client: Redis): Promise<string | undefined> =>
  bounded(client.wait(0, 1), ANSWER_MS, 'an answer of Redis').then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

/** Whether passwords and entries travel in clear, and to another machine. */
function isPlainAbroad(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'redis:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** The times of the birth records, and how many are missing or cannot be read. */
export interface BirthFacts {
  readonly times: readonly number[];
  readonly missing: number;
  readonly unreadable: number;
}

function birthsOf(texts: readonly (string | undefined)[] | undefined): BirthFacts | undefined {
  if (!texts) return undefined;
  const times: number[] = [];
  let [missing, unreadable] = [0, 0];
  for (const text of texts) {
    try {
      const birth = parseBirth(text);
      if (birth) times.push(birth.atMs);
      else missing++;
    } catch {
      unreadable++;
    }
  }
  return { times, missing, unreadable };
}
