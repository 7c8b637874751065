// Owns the questions that a server must answer before it is trusted, and again each second: who are you, what time is it?

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';

/** What a server keeps over a crash. `snapshots`: it comes back old; `nothing`: it comes back empty. */
export type Persistence = 'log' | 'snapshots' | 'nothing' | 'unknown';

export interface Inspection {
  /** undefined: the server does not tell. */
  readonly policy: string | undefined;
  readonly persistence: Persistence;
}

type Answers = [error: Error | null, answer: unknown][] | null;

const answerOf = (answers: Answers, index: number): unknown => {
  const [error, answer] = answers?.[index] ?? [new StoreUnavailable('Redis left a question unanswered'), undefined];
  if (error) throw error;
  return answer;
};

/** For what a user need not be allowed to ask. */
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

/** What a primary tells of itself. */
export interface Told {
  /** Its time, Unix ms, with fractions. */
  readonly timeMs: number;
  /**
   * Its name for itself since its start, and for what it holds since it was last made a primary; undefined: it does not
   * tell. One that has followed another in between may have lost what it was told, though its run_id is the same.
   */
  readonly incarnation: string | undefined;
  /** Whether it took its replication id without having followed another primary before. */
  readonly keptData: boolean;
}

/** What `master_replid2` is where the server was not made a primary after it had followed another. */
const NO_REPLICATION_ID = /^0+$/;

const incarnationIn = (server: unknown, replication: unknown): string | undefined => {
  const [run, data] = [field(server, 'run_id'), field(replication, 'master_replid')];
  return run !== undefined && data !== undefined ? `${run} ${data}` : undefined;
};

/** Asks the server for its name; undefined: the user may not ask. */
export async function askIncarnation(client: Redis): Promise<string | undefined> {
  const questions = [
    ['info', 'server'],
    ['info', 'replication'],
  ];
  const answers = await client.pipeline(questions).exec();
  return incarnationIn(optional(answers, 0), optional(answers, 1));
}

/** Asks the server for its time and its name, and makes sure that it is a primary. */
export async function ask(client: Redis): Promise<Told> {
  const questions = [['role'], ['time'], ['info', 'server'], ['info', 'replication']];
  const answers = await client.pipeline(questions).exec();
  const role = answerOf(answers, 0);
  const [kind] = Array.isArray(role) ? role : [];
  // What a replica tells is late, and what it is told is lost.
  if (kind !== 'master') throw new StoreUnavailable(`Redis is not a primary (its ROLE is ${kind})`);
  const time = answerOf(answers, 1);
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : [];
  if (!Number.isFinite(seconds) || !Number.isFinite(micros)) throw new StoreUnavailable('Redis does not tell its time');
  const replication = optional(answers, 3);
  const incarnation = incarnationIn(optional(answers, 2), replication);
  const keptData = NO_REPLICATION_ID.test(field(replication, 'master_replid2') ?? '');
  return { timeMs: Number(seconds) * 1000 + Number(micros) / 1000, incarnation, keptData };
}

/** Whether a server still holds what it held under that name. @param replication its INFO of that section */
export const isStill = (incarnation: string, replication: unknown): boolean =>
  incarnation.endsWith(` ${field(replication, 'master_replid')}`);

/** Looks at whether the server keeps what it is told. @throws StoreUnavailable while it is loading its data */
export async function inspect(client: Redis): Promise<Inspection> {
  const questions = [
    ['info', 'memory'],
    ['info', 'persistence'],
    ['config', 'get', 'save'],
  ];
  const answers = await client.pipeline(questions).exec();
  // ROLE, TIME and INFO are answered while the data is being loaded; what matters is not.
  const persistence = optional(answers, 1);
  if (field(persistence, 'loading') === '1') throw new StoreUnavailable('Redis is still loading its data (LOADING)');
  return {
    policy: field(optional(answers, 0), 'maxmemory_policy'),
    persistence: persistenceOf(persistence, optional(answers, 2)),
  };
}
