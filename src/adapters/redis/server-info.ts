// Reads of a server's state: role, time, incarnation, eviction policy and persistence.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';

/** What survives a crash. `snapshots`: the server restarts with old data; `nothing`: it restarts empty. */
export type Persistence = 'log' | 'snapshots' | 'nothing' | 'unknown';

export interface DurabilitySettings {
  /** The maxmemory-policy; undefined: the server does not report it. */
  readonly policy: string | undefined;
  readonly persistence: Persistence;
}

type Answers = [error: Error | null, answer: unknown][] | null;

const answerOf = (answers: Answers, index: number): unknown => {
  const [error, answer] = answers?.[index] ?? [new StoreUnavailable('Redis left a command unanswered'), undefined];
  if (error) throw error;
  return answer;
};

/** An answer that the user's permissions may not cover. */
const optional = (answers: Answers, index: number): unknown => {
  const [error, answer] = answers?.[index] ?? [];
  return error ? undefined : answer;
};

export const field = (info: unknown, name: string): string | undefined =>
  typeof info === 'string' ? new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] : undefined;

export function persistenceOf(info: unknown, save: unknown): Persistence {
  const log = field(info, 'aof_enabled');
  if (log === '1') return 'log';
  if (log === undefined || !Array.isArray(save)) return 'unknown';
  return save[1] === '' ? 'nothing' : 'snapshots';
}

/** The identity and the time of a primary. */
export interface PrimaryState {
  /** Its time, Unix ms, with fractions. */
  readonly timeMs: number;
  /**
   * Its run_id and its master_replid; undefined: it does not report them. After it was a replica of another primary it
   * may have lost writes: the run_id is then the same, the master_replid another one.
   */
  readonly incarnation: string | undefined;
  /** Whether it took its master_replid without having been a replica before. */
  readonly keptData: boolean;
}

/** The `master_replid2` of a server that was not promoted from a replica. */
const NO_REPLICATION_ID = /^0+$/;

const incarnationIn = (server: unknown, replication: unknown): string | undefined => {
  const [run, data] = [field(server, 'run_id'), field(replication, 'master_replid')];
  return run !== undefined && data !== undefined ? `${run} ${data}` : undefined;
};

/** Reads the server's incarnation; undefined: the user has no permission for INFO. */
export async function readIncarnation(client: Redis): Promise<string | undefined> {
  const questions = [
    ['info', 'server'],
    ['info', 'replication'],
  ];
  const answers = await client.pipeline(questions).exec();
  return incarnationIn(optional(answers, 0), optional(answers, 1));
}

/** Reads the server's time and incarnation. @throws StoreUnavailable if it is not a primary */
export async function readPrimaryState(client: Redis): Promise<PrimaryState> {
  const questions = [['role'], ['time'], ['info', 'server'], ['info', 'replication']];
  const answers = await client.pipeline(questions).exec();
  const role = answerOf(answers, 0);
  const [kind] = Array.isArray(role) ? role : [];
  // A replica's data is old, and writes to it are lost.
  if (kind !== 'master') throw new StoreUnavailable(`Redis is not a primary (its ROLE is ${kind})`);
  const time = answerOf(answers, 1);
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : [];
  if (!Number.isFinite(seconds) || !Number.isFinite(micros))
    throw new StoreUnavailable('Redis does not report its time');
  const replication = optional(answers, 3);
  const incarnation = incarnationIn(optional(answers, 2), replication);
  const keptData = NO_REPLICATION_ID.test(field(replication, 'master_replid2') ?? '');
  return { timeMs: Number(seconds) * 1000 + Number(micros) / 1000, incarnation, keptData };
}

/** Whether a server is still the same incarnation. @param replication its INFO section of that name */
export const isSameIncarnation = (incarnation: string, replication: unknown): boolean =>
  incarnation.endsWith(` ${field(replication, 'master_replid')}`);

/** Reads the eviction policy and the persistence. @throws StoreUnavailable while the server is loading its data */
export async function readDurability(client: Redis): Promise<DurabilitySettings> {
  const questions = [
    ['info', 'memory'],
    ['info', 'persistence'],
    ['config', 'get', 'save'],
  ];
  const answers = await client.pipeline(questions).exec();
  // While it loads its data, Redis answers ROLE, TIME and INFO, but not our reads and writes.
  const persistence = optional(answers, 1);
  if (field(persistence, 'loading') === '1') throw new StoreUnavailable('Redis is still loading its data (LOADING)');
  return {
    policy: field(optional(answers, 0), 'maxmemory_policy'),
    persistence: persistenceOf(persistence, optional(answers, 2)),
  };
}
