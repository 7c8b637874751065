// Owns the survey of one server for `store check`: it connects as `serve` does, asks, and judges. Writes nothing.

import type { Redis } from 'ioredis';
import { parseBirth } from '../../../core/entries.js';
import { type Finding, unsafe } from '../../../core/finding.js';
import { clientMaker, connect, type TlsSource } from '../client.js';
import { bounded, explain } from '../failure.js';
import { inspect } from '../inspection.js';
import { judgePolicy, PERSISTENCE } from '../judgement.js';
import { SHARDS } from '../keys.js';
import { judgeFacts } from './fact-judgement.js';
import { gatherFacts } from './facts.js';

/** How long it all may take: a server that hangs must not hang the check. */
const CONNECT_MS = 2_000;
const ANSWER_MS = 5_000;

export const ALL_SHARDS: readonly number[] = Array.from({ length: SHARDS }, (_, shard) => shard);

/** The settings that `serve` would go by. */
export interface SurveyOptions {
  readonly allowUnsafe: boolean;
  readonly minReplicas: number;
  readonly tls?: TlsSource | undefined;
}

/** Asks a server, within a bound. @throws whatever it says, or what is wrong with the way to it */
export async function askServer<T>(
  url: string,
  tls: TlsSource | undefined,
  work: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = clientMaker(url, CONNECT_MS, tls)();
  client.on('error', () => {});
  try {
    const greeted = connect(client, async () => {});
    await bounded(greeted, CONNECT_MS, 'connecting to Redis');
    return await bounded(work(client), ANSWER_MS, 'an answer of Redis');
  } finally {
    client.disconnect();
  }
}

/** What there is to say of a primary. @param shards whose keys it has. Never rejects for what is wrong with the server */
export async function surveyServer(
  url: string,
  shards: readonly number[],
  { allowUnsafe, minReplicas, tls }: SurveyOptions,
): Promise<readonly Finding[]> {
  try {
    const facts = await askServer(url, tls, (client) => gatherFacts(client, shards));
    const refusal = minReplicas > 0 ? await askServer(url, tls, waitRefusal) : undefined;
    const around = { open: await isOpen(url, tls), plain: isPlainAbroad(url), births: birthsOf(facts.births) };
    return judgeFacts({ ...facts, ...around, wanted: { replicas: minReplicas, refusal } }, allowUnsafe);
  } catch (error) {
    const mend = 'see that it runs, and that REDIS_URL names it with its user and password';
    return [{ weight: 'unsafe', says: `Redis cannot be used: ${explain(error).detail}`, mend }];
  }
}

/** What there is to say of a replica, which may be the primary tomorrow: only what is wrong. */
export async function surveyReplica(url: string, { allowUnsafe, tls }: SurveyOptions): Promise<readonly Finding[]> {
  try {
    const { policy, persistence } = await askServer(url, tls, inspect);
    const kept = judgePolicy(policy);
    const judged = kept.weight === 'unsafe' && allowUnsafe ? { ...kept, weight: 'warning' as const } : kept;
    return [judged, PERSISTENCE[persistence]].filter(({ weight }) => weight !== 'good');
  } catch (error) {
    return [unsafe(`It cannot be asked: ${explain(error).detail}`, 'see that it runs: without it nobody takes over')];
  }
}

/** Whether somebody without a name or a password is let in; undefined: that could not be found out. */
async function isOpen(url: string, tls: TlsSource | undefined): Promise<boolean | undefined> {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  try {
    await askServer(bare.href, tls, (client) => client.get('lk:1:open'));
    return true;
  } catch (error) {
    if (!(error instanceof Error)) return undefined;
    // That the key would be at another node it tells only those whom it lets in.
    if (error.message.startsWith('MOVED')) return true;
    return /^(NOAUTH|NOPERM|DENIED|WRONGPASS)/.test(error.message) ? false : undefined;
  }
}

/** Why the user may not wait for replicas; undefined: it may. For none of them WAIT answers at once. */
const waitRefusal = (client: Redis): Promise<string | undefined> =>
  client.wait(0, 1).then(
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
