// The `store check` of one server: connects as `serve` does, reads the facts, and applies the rules. Read-only.

import type { Redis } from 'ioredis';
import { clientMaker, connect, type TlsSource } from '../../adapters/redis/client.js';
import { evictionRule, PERSISTENCE_RULES } from '../../adapters/redis/durability-rules.js';
import { bounded, explain } from '../../adapters/redis/failure.js';
import { SHARDS } from '../../adapters/redis/keys.js';
import { readDurability } from '../../adapters/redis/server-info.js';
import { parseBirth } from '../../core/session/entries.js';
import { type CheckResult, unsafe } from '../check-result.js';
import { gatherFacts } from './facts.js';
import { serverResults } from './server-rules.js';

/** Time limits, so that a server that hangs does not block the check. */
const CONNECT_MS = 2_000;
const ANSWER_MS = 5_000;

export const ALL_SHARDS: readonly number[] = Array.from({ length: SHARDS }, (_, shard) => shard);

/** The settings that `serve` would use. */
export interface SurveyOptions {
  readonly allowUnsafe: boolean;
  readonly minReplicas: number;
  readonly tls?: TlsSource | undefined;
}

/** Connects to a server and runs commands, within time limits. @throws the connection's or the server's error */
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

/** Checks a primary. Never rejects because of the server. @param shards the shards that it owns */
export async function surveyServer(
  url: string,
  shards: readonly number[],
  { allowUnsafe, minReplicas, tls }: SurveyOptions,
): Promise<readonly CheckResult[]> {
  try {
    const facts = await askServer(url, tls, (client) => gatherFacts(client, shards));
    const refusal = minReplicas > 0 ? await askServer(url, tls, waitRefusal) : undefined;
    const around = { open: await isOpen(url, tls), plain: isPlainAbroad(url), births: birthsOf(facts.births) };
    return serverResults({ ...facts, ...around, wanted: { replicas: minReplicas, refusal } }, allowUnsafe);
  } catch (error) {
    const remedy = 'check that it runs, and that REDIS_URL has its address, user and password';
    return [{ severity: 'unsafe', message: `Redis cannot be used: ${explain(error).detail}`, remedy }];
  }
}

/** Checks a replica, which a failover may promote. Returns problems only. */
export async function surveyReplica(url: string, { allowUnsafe, tls }: SurveyOptions): Promise<readonly CheckResult[]> {
  try {
    const { policy, persistence } = await askServer(url, tls, readDurability);
    const kept = evictionRule(policy);
    const judged = kept.severity === 'unsafe' && allowUnsafe ? { ...kept, severity: 'warning' as const } : kept;
    return [judged, PERSISTENCE_RULES[persistence]].filter(({ severity }) => severity !== 'good');
  } catch (error) {
    return [unsafe(`It does not answer: ${explain(error).detail}`, 'start it: without a replica there is no failover')];
  }
}

/** Whether the server accepts connections without user and password; undefined: unknown. */
async function isOpen(url: string, tls: TlsSource | undefined): Promise<boolean | undefined> {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  try {
    await askServer(bare.href, tls, (client) => client.get('lk:1:open'));
    return true;
  } catch (error) {
    if (!(error instanceof Error)) return undefined;
    // A node sends MOVED only to an authenticated client.
    if (error.message.startsWith('MOVED')) return true;
    return /^(NOAUTH|NOPERM|DENIED|WRONGPASS)/.test(error.message) ? false : undefined;
  }
}

/** The error of WAIT; undefined: the user may run it. With 0 replicas WAIT returns at once. */
const waitRefusal = (client: Redis): Promise<string | undefined> =>
  client.wait(0, 1).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

/** Whether the connection is unencrypted and leads to another machine. */
function isPlainAbroad(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'redis:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** The times of the birth records, and how many are missing or unreadable. */
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
