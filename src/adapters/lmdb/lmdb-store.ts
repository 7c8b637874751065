// The embedded store: the store that the core needs, in one data folder of one machine.

import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../core/errors.js';
import type { Draft, Store, StoreKey, Swapped } from '../../core/ports.js';
import { committed, type Database, openDatabase } from './database.js';
import { hasRoom } from './preflight.js';
import { CLOSED, ReadTurn, UNUSABLE } from './read-turn.js';
import { encode, keyName, keyNames, laterEnd, liveRecord, raised } from './record.js';
import { type Log, Sweeper } from './sweeper.js';
import { WriteFaults } from './write-faults.js';
import { WriteWatch } from './write-watch.js';

export interface LmdbStoreOptions {
  /** Made if it is not there. Several processes of one machine may share it. */
  readonly dataDir: string;
  readonly log: Log;
  /** The machine's clock, Unix ms. Default: the process's. */
  readonly now?: () => number;
  /** A clock that is never set, ms. Default: the process's. */
  readonly monotonicMs?: () => number;
  /** How often expired entries are removed, ms. Default 10 minutes. */
  readonly sweepEveryMs?: number;
  /** After how long a write is given up on, ms. Default 2,000. */
  readonly writeTimeoutMs?: number;
}

type Outcome = Swapped | 'late';

/** The denylist in a file. */
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

  /** The folder that was opened: nobody puts another in its place while it is open. */
  incarnationOf(): string {
    return 'folder';
  }

  /** What can be read here is on the disk already. */
  async settle(): Promise<void> {}

  read(keys: readonly StoreKey[]): Promise<readonly (string | undefined)[]> {
    return this.#reads.read(keyNames(keys));
  }

  async swap(
    key: StoreKey,
    expected: string | undefined,
    next: Draft,
    lifetimeMs: number | undefined,
    notAfterMs: number,
  ): Promise<Swapped> {
    const step = () => this.#step(key, expected, next, lifetimeMs, notAfterMs);
    // Resolves when the transaction is on the disk, whether this step wrote or only saw what stands: the one that it
    // saw may be of the same transaction.
    const outcome = await this.#guarded(() => this.#writes.bound(this.#write(step)));
    if (outcome === 'late') throw new StoreUnavailable('the disk got to a write too late, and did not make it');
    return outcome;
  }

  /** Waits for the writes that are under way, within a bound. What is asked for later is rejected. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #write(step: () => Outcome): Promise<Outcome> {
    try {
      const outcome = await committed(this.#database.transaction(step));
      // One that has changed nothing needs no room.
      if (outcome !== 'late' && outcome.won) this.#faults.succeeded();
      return outcome;
    } catch (error) {
      // An entry that cannot be read is no fault of the disk.
      if (!(error instanceof StoreUnavailable)) this.#faults.failed(error);
      throw error;
    }
  }

  /** Within the transaction, which no other writer of this machine can come between. */
  #step(
    key: StoreKey,
    expected: string | undefined,
    next: Draft,
    lifetimeMs: number | undefined,
    notAfterMs: number,
  ): Outcome {
    const nowMs = this.#now();
    if (nowMs > notAfterMs) return 'late';
    const name = keyName(key);
    const current = liveRecord(this.#database.get(name), nowMs);
    if (current?.text !== expected) return { won: false, current: current?.text };
    const stampMs = Math.min(Math.max(nowMs, next.atLeastMs), next.atMostMs ?? Number.POSITIVE_INFINITY);
    const text = `1 ${stampMs} ${next.value}`;
    const endsAtMs = laterEnd(current, lifetimeMs === undefined ? undefined : nowMs + lifetimeMs);
    this.#database.put(name, encode({ text, endsAtMs }));
    const writes = key.kind === 'birth' ? undefined : this.#count(nowMs);
    return { won: true, current: text, ...(writes === undefined ? {} : { writes }) };
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
    // A disk that hangs must not hold up the end of the process: what was acknowledged is safe already.
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
