// Errors of the driver and of the server: the text for the log, and whether the connection must end.

import { StoreUnavailable } from '../../core/errors.js';
import { explainTls } from '../../platform/tls/failure.js';
import { UnsafeStore } from './unsafe-store.js';

/** A time limit has passed without an answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** The meaning of an error. */
export interface Failure {
  /** For the log. Holds no part of the command or the address, which may hold a password. */
  readonly detail: string;
  /** Whether the connection must end: its server cannot serve us, or is gone. */
  readonly severs: boolean;
}

type Reply = readonly [severs: boolean, meaning: string];

/** By the error code, the first word of the server's error. */
const REPLIES: Readonly<Record<string, Reply>> = {
  READONLY: [true, 'Redis is a replica now'],
  LOADING: [true, 'Redis is still loading its data'],
  MASTERDOWN: [true, 'Redis is a replica that has lost its primary'],
  CLUSTERDOWN: [true, 'the Redis Cluster is down'],
  MOVED: [true, 'Redis is a node of a Redis Cluster: REDIS_URL must begin with redis+cluster://'],
  BUSY: [true, 'Redis is busy with the script of another client'],
  NOAUTH: [true, 'Redis requires a password'],
  WRONGPASS: [true, 'Redis rejects the user name or the password'],
  NOPERM: [false, 'the Redis user has no permission for our commands or our keys'],
  OOM: [false, 'Redis has reached its maxmemory and accepts no writes'],
  MISCONF: [false, 'Redis cannot save its data and accepts no writes'],
  NOREPLICAS: [false, 'Redis has too few replicas and accepts no writes'],
  WRONGTYPE: [false, 'a key in Redis holds a value of another type'],
};

const firstWord = (text: string): string => /^[A-Z]{2,20}\b/.exec(text)?.[0] ?? '';

const codeOf = (error: Error): string | undefined => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
};

/** Whether the server refuses writes because it has fewer replicas than its own `min-replicas-to-write`. */
export const lacksReplicas = (error: Error): boolean =>
  error.name === 'ReplyError' && firstWord(error.message) === 'NOREPLICAS';

/** Explains an error of the driver or of the server. */
export function explain(error: unknown): Failure {
  if (error instanceof NoAnswer) return { detail: error.message, severs: true };
  // Our own check of an answer threw it, so the connection works.
  if (error instanceof StoreUnavailable || error instanceof UnsafeStore)
    return { detail: error.message, severs: false };
  if (!(error instanceof Error)) return { detail: 'the connection to Redis failed', severs: true };
  if (error.name === 'ReplyError') {
    const word = firstWord(error.message);
    const known = REPLIES[word];
    if (known) return { detail: `${known[1]} (${word})`, severs: known[0] };
    // The server's text may repeat the command's arguments.
    return { detail: `Redis answered with an error (${word || 'unknown'})`, severs: false };
  }
  const tls = explainTls(error);
  if (tls !== undefined) return { detail: `the connection to Redis failed: ${tls}`, severs: true };
  return { detail: `the connection to Redis failed (${codeOf(error) ?? 'closed'})`, severs: true };
}

/** Waits for a result, up to a time limit. @throws NoAnswer */
export function bounded<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new NoAnswer(`${what} took longer than ${limitMs} ms`));
    // After a blocked event loop, timers run before sockets are read: an answer that has arrived already must count.
    const timer = setTimeout(() => setImmediate(giveUp), limitMs);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
