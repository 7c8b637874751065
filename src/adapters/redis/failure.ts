// Owns what the driver's and the server's errors mean: a line for the log, and whether the connection is still good.

import { StoreUnavailable } from '../../core/errors.js';
import { explainTls } from '../../platform/tls/failure.js';
import { UnsafeStore } from './unsafe-store.js';

/** A command that was given up on. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** What an error means. */
export interface Failure {
  /** For the log. Holds nothing of the command or the address: those may carry a password. */
  readonly detail: string;
  /** The connection must be given up: it leads to a server that cannot serve us, or to none. */
  readonly severs: boolean;
}

type Reply = readonly [severs: boolean, meaning: string];

/** By the first word of the server's answer. */
const REPLIES: Readonly<Record<string, Reply>> = {
  READONLY: [true, 'Redis is a replica now'],
  LOADING: [true, 'Redis is still loading its data'],
  MASTERDOWN: [true, 'Redis is a replica that has lost its primary'],
  CLUSTERDOWN: [true, 'the Redis Cluster is down'],
  MOVED: [true, 'Redis is a node of a Redis Cluster, which REDIS_URL must name by redis+cluster://'],
  BUSY: [true, 'Redis is busy with a script of someone else'],
  NOAUTH: [true, 'Redis asks for a password'],
  WRONGPASS: [true, 'Redis refuses the user name or the password'],
  NOPERM: [false, 'the Redis user may not run our commands or touch our keys'],
  OOM: [false, 'Redis has reached its maxmemory and takes no writes'],
  MISCONF: [false, 'Redis cannot save its data and takes no writes'],
  NOREPLICAS: [false, 'Redis has too few replicas and takes no writes'],
  WRONGTYPE: [false, 'a key in Redis holds a value of another type'],
};

const firstWord = (text: string): string => /^[A-Z]{2,20}\b/.exec(text)?.[0] ?? '';

const codeOf = (error: Error): string | undefined => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
};

/** Tells what an error of the driver or of the server means. */
export function explain(error: unknown): Failure {
  if (error instanceof NoAnswer) return { detail: error.message, severs: true };
  // Our own judgement on an answer: the connection has brought it.
  if (error instanceof StoreUnavailable || error instanceof UnsafeStore)
    return { detail: error.message, severs: false };
  if (!(error instanceof Error)) return { detail: 'the connection to Redis failed', severs: true };
  if (error.name === 'ReplyError') {
    const word = firstWord(error.message);
    const known = REPLIES[word];
    if (known) return { detail: `${known[1]} (${word})`, severs: known[0] };
    // Its own words may repeat the command's arguments.
    return { detail: `Redis answered with an error (${word || 'unknown'})`, severs: false };
  }
  const tls = explainTls(error);
  if (tls !== undefined) return { detail: `the connection to Redis failed: ${tls}`, severs: true };
  return { detail: `the connection to Redis failed (${codeOf(error) ?? 'closed'})`, severs: true };
}

/** Waits for an answer, but not for ever. @throws NoAnswer */
export function bounded<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new NoAnswer(`${what} took longer than ${limitMs} ms`));
    // When this process was held up, timers run before sockets are read: an answer that is there already must count.
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
