// Owns the gathering of reads: what is asked for in one turn of the event loop is read at one moment after it. Answers
// that come together also leave together, which saves more than the reads cost.

import { StoreUnavailable } from '../../core/errors.js';
import type { Database } from './database.js';
import { liveRecord } from './record.js';

export const CLOSED = 'the store is closed';
export const UNUSABLE = 'the data folder cannot be read or written';

type Texts = readonly (string | undefined)[];

interface Caller {
  readonly names: readonly string[];
  readonly resolve: (texts: Texts) => void;
  readonly reject: (error: StoreUnavailable) => void;
}

export class ReadTurn {
  readonly #database: Database;
  readonly #now: () => number;
  #callers: Caller[] = [];
  #ended = false;

  /** @param now the machine's clock, Unix ms */
  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  /** The texts at some keys, undefined for nothing or for what has expired. @throws StoreUnavailable */
  read(names: readonly string[]): Promise<Texts> {
    return new Promise((resolve, reject) => {
      this.#callers.push({ names, resolve, reject });
      if (this.#callers.length === 1) setImmediate(() => this.#readAll());
    });
  }

  /** Nothing is read any more. */
  end(): void {
    this.#ended = true;
  }

  #readAll(): void {
    const callers = this.#callers;
    this.#callers = [];
    if (this.#ended) return rejectAll(callers, new StoreUnavailable(CLOSED));
    try {
      // The driver goes on with the snapshot of an earlier read until a timer of its own, a millisecond or more: it may be
      // older than these calls, and than what another process has acknowledged before them.
      this.#database.resetReadTxn();
      const transaction = this.#database.useReadTransaction();
      try {
        const nowMs = this.#now();
        const text = (name: string) => liveRecord(this.#database.get(name, { transaction }), nowMs)?.text;
        for (const caller of callers) answer(caller, text);
      } finally {
        transaction.done();
      }
    } catch (error) {
      // Whoever was answered before is not told twice.
      rejectAll(callers, new StoreUnavailable(UNUSABLE, error));
    }
  }
}

/** An entry that cannot be read is the affair of those who asked for it alone. */
function answer({ names, resolve, reject }: Caller, text: (name: string) => string | undefined): void {
  try {
    resolve(names.map(text));
  } catch (error) {
    reject(error instanceof StoreUnavailable ? error : new StoreUnavailable(UNUSABLE, error));
  }
}

function rejectAll(callers: readonly Caller[], error: StoreUnavailable): void {
  for (const { reject } of callers) reject(error);
}
