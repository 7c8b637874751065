// The facts that `store check` reads from a server, and those that its user may not read. Read-only.

import type { Redis } from 'ioredis';
import { explain } from '../../adapters/redis/failure.js';
import { birthName, logName } from '../../adapters/redis/keys.js';
import { READ } from '../../adapters/redis/read-script.js';
import { evaluate } from '../../adapters/redis/script.js';
import { field, type Persistence, persistenceOf } from '../../adapters/redis/server-info.js';
import { RIGHTS, TRIED } from './rights-script.js';

/** The facts; undefined: the server does not report it. Sizes in bytes, times in ms. */
export interface Facts {
  readonly version: string | undefined;
  /** `master` or `slave`. */
  readonly role: string | undefined;
  /** `host port` of a replica's primary. */
  readonly primary: string | undefined;
  readonly loading: boolean;
  readonly policy: string | undefined;
  readonly persistence: Persistence;
  readonly appendfsync: string | undefined;
  readonly maxmemory: number | undefined;
  readonly usedMemory: number | undefined;
  readonly evictedKeys: number | undefined;
  readonly replicas: number | undefined;
  readonly minReplicasToWrite: number | undefined;
  /** How far the server's clock is certainly ahead of this machine's, ms; negative: behind. */
  readonly clockAheadMs: number | undefined;
  /** Our commands that fail, and why. */
  readonly refusedCommands: readonly { readonly command: string; readonly why: string }[];
  /** The texts of the birth records; undefined: they cannot be read. */
  readonly births: readonly (string | undefined)[] | undefined;
  /** A sample of the keys of the database. */
  readonly sample: { readonly keys: number; readonly others: number; readonly whole: boolean } | undefined;
  /** Commands that this user may not run. */
  readonly unanswered: readonly string[];
}

const QUESTIONS = [
  ['role'],
  ['time'],
  ['info', 'server'],
  ['info', 'memory'],
  ['info', 'persistence'],
  ['info', 'replication'],
  ['info', 'stats'],
  ['config', 'get', 'save'],
  ['config', 'get', 'appendfsync'],
  ['config', 'get', 'min-replicas-to-write'],
];

/** The size of the sample: the check must not walk a database of millions of keys. */
const SAMPLE_STEPS = 20;
const SAMPLE_COUNT = '500';

const number = (text: unknown): number | undefined =>
  typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : undefined;

/**
 * Reads all facts.
 * @param shards the shards that the server owns
 * @throws the server's error for ROLE or TIME
 */
export async function gatherFacts(client: Redis, shards: readonly number[]): Promise<Facts> {
  const askedMs = Date.now();
  const answers = (await client.pipeline(QUESTIONS).exec()) ?? [];
  const answeredMs = Date.now();
  // `serve` needs ROLE and TIME, too.
  for (const [error] of answers.slice(0, 2)) if (error) throw error;
  const values = answers.map(([error, answer]) => (error ? undefined : answer));
  const [role, time, server, memory, persistence, replication, stats, save, appendfsync, minReplicas] = values;
  const refused = QUESTIONS.filter((_, index) => answers[index]?.[0]).map(([name = '', verb = '']) => [name, verb]);
  const value = (answer: unknown): unknown => (Array.isArray(answer) ? answer[1] : undefined);
  const [kind, host, port] = Array.isArray(role) ? role : [];
  const sample = await sampleKeys(client);
  const unanswered = refused.map(([name = '', verb]) => (name === 'config' ? `CONFIG ${verb}` : name).toUpperCase());
  if (!sample) unanswered.push('SCAN');
  return {
    version: field(server, 'redis_version'),
    role: kind ?? field(replication, 'role'),
    primary: kind === 'slave' ? `${host} ${port}` : undefined,
    loading: field(persistence, 'loading') === '1',
    policy: field(memory, 'maxmemory_policy'),
    persistence: persistenceOf(persistence, save),
    appendfsync: value(appendfsync) as string | undefined,
    maxmemory: number(field(memory, 'maxmemory')),
    usedMemory: number(field(memory, 'used_memory')),
    evictedKeys: number(field(stats, 'evicted_keys')),
    replicas: number(field(replication, 'connected_slaves')),
    minReplicasToWrite: number(value(minReplicas)),
    clockAheadMs: clockAhead(time, askedMs, answeredMs),
    refusedCommands: await tryCommands(client, shards),
    births: await readBirths(client, shards),
    sample,
    unanswered: [...new Set(unanswered)],
  };
}

/** The server read its clock between question and answer, so only a difference beyond that interval is certain. */
function clockAhead(time: unknown, askedMs: number, answeredMs: number): number | undefined {
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : [];
  if (seconds === undefined || micros === undefined) return undefined;
  const serverMs = seconds * 1000 + micros / 1000;
  return serverMs < askedMs ? serverMs - askedMs : Math.max(0, serverMs - answeredMs);
}

async function tryCommands(client: Redis, [shard = 0]: readonly number[]): Promise<Facts['refusedCommands']> {
  const key = birthName(shard);
  try {
    const faults = (await evaluate(client, RIGHTS, { keys: [key, logName(shard)] })) as readonly string[];
    return TRIED.map((command, index) => ({ command, why: faults[index] ?? '' })).filter(({ why }) => why !== '');
  } catch (error) {
    return [{ command: 'EVALSHA, EVAL', why: explain(error).detail }];
  }
}

async function readBirths(client: Redis, shards: readonly number[]): Promise<Facts['births']> {
  const keys = shards.map(birthName);
  try {
    // One by one: in a cluster they are in different slots.
    const found = await Promise.all(
      keys.map((key) => evaluate(client, READ, { keys: [key] }) as Promise<readonly unknown[]>),
    );
    return found.map(([text]) => (text === null ? undefined : String(text)));
  } catch {
    return undefined;
  }
}

async function sampleKeys(client: Redis): Promise<Facts['sample']> {
  let [cursor, keys, others] = ['0', 0, 0];
  try {
    for (let step = 0; step < SAMPLE_STEPS; step++) {
      const [next, names] = await client.scan(cursor, 'COUNT', SAMPLE_COUNT);
      keys += names.length;
      others += names.filter((name) => !name.startsWith('lk:')).length;
      cursor = next;
      if (cursor === '0') break;
    }
    return { keys, others, whole: cursor === '0' };
  } catch {
    return undefined;
  }
}
