// The rounds by which a node follows the logs of all shards.
//
// A round reads the logs, and checks what it read as any read is checked: births, lost writes, restores. Then it
// takes in everything within one turn of the event loop. After it, the node knows every end that was in the store when
// the round began, in the shards that it covers.

import type { AckRecord } from '../durability/ack-record.js';
import type { Births } from '../durability/births.js';
import type { ShardSnapshot } from '../durability/known-shards.js';
import type { Ledger } from '../durability/ledger.js';
import { MAX_ATTEMPTS } from '../durability/limits.js';
import { StoreUnavailable } from '../errors.js';
import type { RevocationLogs, Store } from '../ports.js';
import type { Birth } from '../session/entries.js';
import { MAX_ENTRIES } from './limits.js';
import type { LogPage } from './log-entry.js';
import { type Cursor, ShardReading } from './shard-reading.js';
import { ShardStates } from './shard-states.js';
import { Window, type WindowEntry } from './window.js';

export interface FeedReaderParts {
  readonly store: Store & RevocationLogs;
  readonly births: Births;
  readonly ledger: Ledger;
  /** The entry of an acknowledged end. */
  readonly entryOf: (record: AckRecord) => WindowEntry;
  /** How long an entry is needed, ms. */
  readonly windowMs: number;
}

/** The result of a round. */
export interface Round {
  /** The shards that it could not read. */
  readonly uncovered: ReadonlySet<number>;
  /** The lowest time of the shards that it read, Unix ms; 0: it read none. */
  readonly storeTimeMs: number;
}

/** What must be done before a shard is read again. */
type Repair = () => Promise<unknown>;

export class FeedReader {
  readonly window = new Window();
  readonly states = new ShardStates();
  readonly #parts: FeedReaderParts;
  // By shard, which are few and numbered without gaps.
  readonly #cursors: (Cursor | undefined)[] = [];
  /** The highest time of its entries, and its time in the last round that read it, Unix ms. */
  readonly #latestMs: (number | undefined)[] = [];
  readonly #nowMs: (number | undefined)[] = [];

  constructor(parts: FeedReaderParts) {
    this.#parts = parts;
  }

  /** Reads all logs, and takes in what they hold. One round at a time. */
  async round(): Promise<Round> {
    const { ledger, store } = this.#parts;
    const { unrestored } = ledger;
    const { restores } = unrestored;
    const readings = new Map<number, ShardReading>();
    for (let shard = 0; shard < store.shards; shard++) readings.set(shard, new ShardReading(this.#cursors[shard]));
    const open = new Map(readings);
    for (let attempt = 0; attempt < MAX_ATTEMPTS && open.size > 0; ) {
      const repairs = await this.#readOnce(open);
      // Further pages are not further attempts: all that was there when the round began must be read.
      if (repairs.size > 0) attempt++;
      await Promise.all([...repairs].map(([shard, repair]) => attemptRepair(repair, () => open.delete(shard))));
    }
    const round = this.#takeIn(readings);
    // The logs may have been read before an end was restored that the ledger no longer counts as lost.
    return unrestored.restores === restores ? round : { uncovered: new Set(readings.keys()), storeTimeMs: 0 };
  }

  /** Reads the shards that are open, and closes those that are complete or failed. @returns repairs, by shard */
  async #readOnce(open: Map<number, ShardReading>): Promise<ReadonlyMap<number, Repair>> {
    const { store, ledger } = this.#parts;
    const snapshots = [...open].map(([shard, reading]) => ({ reading, snapshot: ledger.snapshot(shard) }));
    const cursors: (string | undefined)[] = Array.from({ length: store.shards }, () => undefined);
    for (const { reading, snapshot } of snapshots) {
      if (reading.cursor?.incarnation !== snapshot.incarnation) reading.restart();
      cursors[snapshot.shard] = reading.cursor?.position;
    }
    const pages = await store.readLogs(cursors);
    const repairs = new Map<number, Repair>();
    for (const { reading, snapshot } of snapshots) {
      const { shard } = snapshot;
      const page = pages[shard];
      const result =
        page === undefined || page instanceof StoreUnavailable ? 'failed' : this.#take(reading, snapshot, page);
      if (typeof result === 'function') repairs.set(shard, result);
      else if (result !== 'more') open.delete(shard);
    }
    return repairs;
  }

  #take(reading: ShardReading, snapshot: ShardSnapshot, page: LogPage): 'failed' | 'more' | 'complete' | Repair {
    const { store, births, ledger } = this.#parts;
    const { shard, incarnation } = snapshot;
    let birth: Birth | undefined;
    try {
      birth = births.read(shard, page.birthText);
    } catch (error) {
      if (error instanceof StoreUnavailable) return 'failed';
      throw error;
    }
    if (!birth) return () => births.write(shard);
    if (ledger.isBehind(snapshot, birth)) {
      reading.restart();
      return () => ledger.reconcile(shard);
    }
    const isEmpty = page.cursor === undefined;
    // The ids of a log that begins anew may lie before the position.
    if (!page.exists) reading.restart();
    if (!page.exists || !birth.isLogged || isEmpty) return () => store.beginLog(shard);
    return reading.add(page, incarnation, birth) ? 'complete' : 'more';
  }

  /** Takes in what a round has read, in one turn of the event loop. */
  #takeIn(readings: ReadonlyMap<number, ShardReading>): Round {
    const uncovered = new Set<number>();
    const times: number[] = [];
    for (const [shard, reading] of readings) {
      const nowMs = reading.birth && this.#takeInShard(shard, reading, reading.birth);
      if (nowMs === undefined) uncovered.add(shard);
      else times.push(nowMs);
    }
    // The store has lost these ends, and they cannot be restored yet. They count, because they were acknowledged.
    for (const record of this.#parts.ledger.unrestored.ends()) this.window.add(this.#parts.entryOf(record));
    this.#drop();
    return { uncovered, storeTimeMs: times.length === 0 ? 0 : Math.min(...times) };
  }

  /** @returns the shard's time, Unix ms; undefined: the shard is not covered */
  #takeInShard(shard: number, { cursor, entries }: ShardReading, birth: Birth): number | undefined {
    const { store } = this.#parts;
    let [wholeSinceMs, latestMs] = [Number.NEGATIVE_INFINITY, this.#latestMs[shard] ?? 0];
    for (const entry of entries) {
      wholeSinceMs = Math.max(wholeSinceMs, entry.wholeSinceMs);
      latestMs = Math.max(latestMs, entry.atMs);
      if (entry.what !== 'b') this.window.add({ shard, ...entry });
    }
    const nowMs = timeOf(store, shard);
    if (nowMs === undefined) return undefined;
    this.#latestMs[shard] = latestMs;
    this.#nowMs[shard] = nowMs;
    if (cursor) this.#cursors[shard] = cursor;
    const whole = entries.length === 0 ? undefined : wholeSinceMs;
    const findings = { birth, wholeSinceMs: whole, nowMs, latestMs: Math.max(latestMs, store.latestMs(shard)) };
    return this.states.found(shard, findings) ? nowMs : undefined;
  }

  #drop(): void {
    const { windowMs } = this.#parts;
    const isOver = ({ shard, atMs }: WindowEntry, slots: number): boolean =>
      slots > MAX_ENTRIES || atMs + windowMs < (this.#nowMs[shard] ?? 0);
    this.window.drop(isOver, ({ shard, atMs }) => this.states.dropped(shard, atMs));
  }
}

async function attemptRepair(repair: Repair, failed: () => void): Promise<void> {
  try {
    await repair();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    failed();
  }
}

function timeOf(store: Store, shard: number): number | undefined {
  try {
    return store.now(shard);
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}
