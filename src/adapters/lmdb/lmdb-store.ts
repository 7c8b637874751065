// The embedded store: the core's Store in one data folder of one machine.

import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../core/errors.js';
import { logWindowMs } from '../../core/feed/limits.js';
import type { LogPage } from '../../core/feed/log-entry.js';
import type { CompareAndSetResult, EntryUpdate, RevocationLogs, Store } from '../../core/ports.js';
import type { StoreKey } from '../../core/session/store-keys.js';
import type { Logger } from '../../platform/logger.js';
import { committed, type Database, openDatabase } from './database.js';
import { hasRoom } from './preflight.js';
import { CLOSED, ReadTurn, UNUSABLE } from './read-turn.js';
import { keyNames } from './record.js';
import { RevocationLog } from './revocation-log.js';
import { Sweeper } from './sweeper.js';
import { type Outcome, TransactionSteps } from './transaction-steps.js';
import { WriteFaults } from './write-faults.js';
import { WriteWatch } from './write-watch.js';

export interface LmdbStoreOptions {
  /** Created if it does not exist. Several processes of one machine may share it. */
  readonly dataDir: string;
  readonly log: Pick<Logger, 'info' | 'error'>;
  /** The machine's clock, Unix ms. Default: the process's. */
  readonly now?: () => number;
  /** A monotonic clock, ms. Default: the process's. */
  readonly monotonicMs?: () => number;
  /** How often expired entries are removed, ms. Default 10 minutes. */
  readonly sweepEveryMs?: number;
  /** The time limit of a write, ms. Default 2,000. */
  readonly writeTimeoutMs?: number;
  /** How long an entry of the log is needed, ms. Default: with an ACCESS_TTL of 5 minutes. */
  readonly logWindowMs?: number;
}

const DEFAULT_LOG_WINDOW_MS = logWindowMs(5 * 60 * 1_000);

/** The denylist in an LMDB database. */
export class LmdbStore implements Store, RevocationLogs {
  readonly shards = 1;
  readonly #database: Database;
  readonly #now: () => number;
  readonly #closeLimitMs: number;
  readonly #writes: WriteWatch;
  readonly #reads: ReadTurn;
  readonly #sweeper: Sweeper;
  readonly #faults: WriteFaults;
  readonly #log: RevocationLog;
  readonly #steps: TransactionSteps;
  /** The highest time that this process has seen, Unix ms: the clock may have been set back since. */
  #latestMs = 0;
  #closed: Promise<void> | undefined;

  private constructor(database: Database, faults: WriteFaults, options: LmdbStoreOptions) {
    const { now = Date.now, monotonicMs = () => performance.now() } = options;
    const { sweepEveryMs = 10 * 60 * 1_000, writeTimeoutMs = 2_000, log } = options;
    this.#database = database;
    this.#faults = faults;
    this.#now = () => {
      const nowMs = now();
      if (nowMs > this.#latestMs) this.#latestMs = nowMs;
      return nowMs;
    };
    this.#log = new RevocationLog(database, options.logWindowMs ?? DEFAULT_LOG_WINDOW_MS);
    this.#steps = new TransactionSteps(database, this.#log, { now: this.#now, latestMs: () => this.#latestMs });
    this.#closeLimitMs = 2 * writeTimeoutMs;
    this.#writes = new WriteWatch(writeTimeoutMs, now);
    this.#reads = new ReadTurn(database, this.#now);
    this.#sweeper = new Sweeper(database, { now, monotonicMs }, sweepEveryMs, log);
  }

  /** Opens the store. @throws DataDirUnusable */
  static open(options: LmdbStoreOptions): LmdbStore {
    const { log, monotonicMs = () => performance.now() } = options;
    const faults = new WriteFaults(log, monotonicMs, () => hasRoom(options.dataDir));
    const database = openDatabase(options.dataDir, (error) => faults.failed(error));
    return new LmdbStore(database, faults, options);
  }

  shardOf(): number {
    return 0;
  }

  now(): number {
    return this.#now();
  }

  get reachableSinceMs(): number | undefined {
    return this.#writes.sinceMs;
  }

  reachedMsSince(_shard: number, atMs: number): number {
    return this.#writes.reachedMsSince(atMs);
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#writes.watch(listener);
  }

  /** Constant: while the database is open, it cannot be replaced. */
  incarnationOf(): string {
    return 'folder';
  }

  /** Nothing to wait for: all that can be read is on the disk already. */
  async waitForReplicas(): Promise<void> {}

  read(keys: readonly StoreKey[]): Promise<readonly (string | undefined)[]> {
    return this.#reads.read(keyNames(keys));
  }

  async compareAndSet(key: StoreKey, expected: string | undefined, next: EntryUpdate): Promise<CompareAndSetResult> {
    return this.#inTransaction(() => this.#steps.compareAndSet(key, expected, next));
  }

  latestMs(): number {
    return this.#latestMs;
  }

  readLogs([cursor]: readonly (string | undefined)[]): Promise<readonly (LogPage | StoreUnavailable)[]> {
    return new Promise((resolve) => {
      setImmediate(() => {
        try {
          resolve([this.#reads.atOnce((snapshot, text) => this.#log.read(cursor, text, snapshot))]);
        } catch (error) {
          resolve([error instanceof StoreUnavailable ? error : new StoreUnavailable(UNUSABLE, error)]);
        }
      });
    });
  }

  async beginLog(): Promise<void> {
    await this.#inTransaction(() => this.#steps.beginLog());
  }

  /** Waits a limited time for the writes under way. Later calls are rejected. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /**
   * Resolves when the transaction is on the disk, also if this step wrote nothing: the entry that it saw may be part of
   * the same transaction.
   */
  async #inTransaction(step: () => Outcome): Promise<CompareAndSetResult> {
    const outcome = await this.#guarded(() => this.#writes.bound(this.#write(step)));
    if (outcome === 'late') throw new StoreUnavailable('a write began too late, after its deadline, and was not made');
    return outcome;
  }

  async #write(step: () => Outcome): Promise<Outcome> {
    try {
      const outcome = await committed(this.#database.transaction(step));
      // An update that is not applied writes nothing, so it does not prove that the disk has room.
      if (outcome !== 'late' && outcome.applied) this.#faults.succeeded();
      return outcome;
    } catch (error) {
      // An invalid entry is not an error of the disk.
      if (!(error instanceof StoreUnavailable)) this.#faults.failed(error);
      throw error;
    }
  }

  async #close(): Promise<void> {
    this.#writes.end();
    this.#reads.end();
    const closed = this.#sweeper.stop().then(() => this.#database.close());
    // A hanging disk must not delay the end of the process: acknowledged writes are already on the disk.
    const enough = new AbortController();
    const limit = sleep(this.#closeLimitMs, undefined, { signal: enough.signal }).catch(() => {});
    await Promise.race([closed, limit]);
    enough.abort();
  }

  async #guarded<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreUnavailable(CLOSED);
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      throw new StoreUnavailable(UNUSABLE, error);
    }
  }
}
