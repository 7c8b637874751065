// The embedded store: the core's Store in one data folder of one machine.

import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../core/errors.js';
import type { CompareAndSetResult, EntryUpdate, Store } from '../../core/ports.js';
import type { StoreKey } from '../../core/session/store-keys.js';
import type { Logger } from '../../platform/logger.js';
import { committed, type Database, openDatabase } from './database.js';
import { hasRoom } from './preflight.js';
import { CLOSED, ReadTurn, UNUSABLE } from './read-turn.js';
import { encode, keyName, keyNames, laterEnd, liveRecord, raised } from './record.js';
import { Sweeper } from './sweeper.js';
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
}

type Outcome = CompareAndSetResult | 'late';

/** The denylist in an LMDB database. */
export class LmdbStore implements Store {
  readonly shards = 1;
  readonly #database: Database;
  readonly #now: () => number;
  readonly #closeLimitMs: number;
  readonly #writes: WriteWatch;
  readonly #reads: ReadTurn;
  readonly #sweeper: Sweeper;
  readonly #faults: WriteFaults;
  #closed: Promise<void> | undefined;

  private constructor(database: Database, faults: WriteFaults, options: LmdbStoreOptions) {
    const { now = Date.now, monotonicMs = () => performance.now() } = options;
    const { sweepEveryMs = 10 * 60 * 1_000, writeTimeoutMs = 2_000, log } = options;
    this.#database = database;
    this.#faults = faults;
    this.#now = now;
    this.#closeLimitMs = 2 * writeTimeoutMs;
    this.#writes = new WriteWatch(writeTimeoutMs, now);
    this.#reads = new ReadTurn(database, now);
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
    const step = () => this.#step(key, expected, next);
    // Resolves when the transaction is on the disk, also if this step wrote nothing: the entry that it saw may be part of
    // the same transaction.
    const outcome = await this.#guarded(() => this.#writes.bound(this.#write(step)));
    if (outcome === 'late') throw new StoreUnavailable('a write began too late, after its deadline, and was not made');
    return outcome;
  }

  /** Waits a limited time for the writes under way. Later calls are rejected. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
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

  /** The compare-and-set within the transaction. No other writer of this machine runs at the same time. */
  #step(key: StoreKey, expected: string | undefined, next: EntryUpdate): Outcome {
    const nowMs = this.#now();
    if (nowMs > next.notAfterMs) return 'late';
    const name = keyName(key);
    const current = liveRecord(this.#database.get(name), nowMs);
    if (current?.text !== expected) return { applied: false, current: current?.text };
    const stampMs = Math.min(Math.max(nowMs, next.atLeastMs), next.atMostMs ?? Number.POSITIVE_INFINITY);
    const text = `1 ${stampMs} ${next.value}`;
    const endsAtMs = laterEnd(current, next.lifetimeMs === undefined ? undefined : nowMs + next.lifetimeMs);
    this.#database.put(name, encode({ text, endsAtMs }));
    const writes = key.kind === 'birth' ? undefined : this.#count(nowMs);
    return { applied: true, current: text, ...(writes === undefined ? {} : { writes }) };
  }

  /** Raises the count in the birth record, within the transaction. */
  #count(nowMs: number): number | undefined {
    const name = keyName({ kind: 'birth', shard: 0 });
    const counted = raised(liveRecord(this.#database.get(name), nowMs));
    if (counted) this.#database.put(name, encode(counted.stored));
    return counted?.writes;
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
