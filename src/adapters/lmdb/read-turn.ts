// Reads of one event-loop turn, served from one LMDB snapshot that is taken at its end.
// The responses also leave together, which saves more time than the reads cost.

import { StoreUnavailable } from '../../core/errors.js';
import type { Database } from './database.js';
import { liveRecord } from './record.js';

export const CLOSED = 'the store is closed';
export const UNUSABLE = 'the data folder cannot be read or written';

export type Snapshot = ReturnType<Database['useReadTransaction']>;
type Texts = readonly (string | undefined)[];

interface Caller {
  readonly names: readonly string[];
  readonly resolve: (texts: Texts) => void;
  readonly reject: (error: unknown) => void;
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

  /** The entries at some keys, undefined if absent or expired. @throws StoreUnavailable */
  read(names: readonly string[]): Promise<Texts> {
    return new Promise((resolve, reject) => {
      this.#callers.push({ names, resolve, reject });
      if (this.#callers.length === 1) setImmediate(() => this.#readAll());
    });
  }

  /** Runs reads at once, from one snapshot taken now. @throws StoreUnavailable */
  atOnce<T>(reads: (transaction: Snapshot, text: (name: string) => string | undefined) => T): T {
    if (this.#ended) throw new StoreUnavailable(CLOSED);
    // The driver reuses an earlier snapshot for a millisecond or more. That one may be older than these calls, and than
    // a write that another process acknowledged before them.
    this.#database.resetReadTxn();
    const transaction = this.#database.useReadTransaction();
    try {
      const nowMs = this.#now();
      return reads(transaction, (name) => liveRecord(this.#database.get(name, { transaction }), nowMs)?.text);
    } catch (error) {
      throw error instanceof StoreUnavailable ? error : new StoreUnavailable(UNUSABLE, error);
    } finally {
      transaction.done();
    }
  }

  /** Rejects all reads from now on. */
  end(): void {
    this.#ended = true;
  }

  #readAll(): void {
    const callers = this.#callers;
    this.#callers = [];
    try {
      this.atOnce((_, text) => {
        for (const caller of callers) answer(caller, text);
      });
    } catch (error) {
      // Has no effect on callers that already have a response.
      rejectAll(callers, error);
    }
  }
}

/** An invalid entry rejects only the callers that read it. */
function answer({ names, resolve, reject }: Caller, text: (name: string) => string | undefined): void {
  try {
    resolve(names.map(text));
  } catch (error) {
    reject(error instanceof StoreUnavailable ? error : new StoreUnavailable(UNUSABLE, error));
  }
}

function rejectAll(callers: readonly Caller[], error: unknown): void {
  for (const { reject } of callers) reject(error);
}
