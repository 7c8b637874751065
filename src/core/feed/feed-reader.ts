// The rounds by which a node follows the logs of all shards.
//
// A round reads the logs page by page, and checks each page as any read is checked: births, lost writes, restores. It
// takes in the ends of a page at once, and the states of all shards when it has read them all. After it, the node knows
// every end that was in the store when the round began, in the shards that it covers.

import type { AckRecord } from '../durability/ack-record.js';
import type { Births } from '../durability/births.js';
import type { ShardSnapshot } from '../durability/known-shards.js';
import type { Ledger } from '../durability/ledger.js';
import { MAX_ATTEMPTS } from '../durability/limits.js';
import { StoreUnavailable } from '../errors.js';
import type { RevocationLogs, Store } from '../ports.js';
import type { Birth } from '../session/entries.js';
import { MAX_ENTRIES } from './limits.js';
import type { LogEntry, LogPage } from './log-entry.js';
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

/** The shards that a read has not finished, and repairs for some of them. */
interface Unfinished {
  readonly unfinished: readonly ShardReading[];
  readonly repairs: ReadonlyMap<ShardReading, Repair>;
}

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
    const readings = Array.from(
      { length: store.shards },
      (_, shard) => new ShardReading(shard, this.#cursors[shard], this.#latestMs[shard] ?? 0),
    );
    let open: readonly ShardReading[] = readings;
    for (let attempt = 0; attempt < MAX_ATTEMPTS && open.length > 0; ) {
      const { unfinished, repairs } = await this.#readOnce(open);
      open = unfinished;
      // Further pages are not further attempts: all that was there when the round began must be read.
      if (repairs.size === 0) continue;
      attempt++;
      const failed = new Set<ShardReading>();
      await Promise.all([...repairs].map(([reading, repair]) => attemptRepair(repair, () => failed.add(reading))));
      open = unfinished.filter((reading) => !failed.has(reading));
    }
    const round = this.#takeIn(readings);
    if (unrestored.restores === restores) return round;
    // The logs may have been read before an end was restored that the ledger no longer counts as lost.
    return { uncovered: new Set(readings.map(({ shard }) => shard)), storeTimeMs: 0 };
  }

  /** Reads some shards once. @returns those that must be read again, and what must be done before */
  async #readOnce(open: readonly ShardReading[]): Promise<Unfinished> {
    const { store, ledger } = this.#parts;
    const cursors = new Array<string | undefined>(store.shards).fill(undefined);
    const snapshots = open.map((reading) => {
      const snapshot = ledger.snapshot(reading.shard);
      if (reading.cursor?.incarnation !== snapshot.incarnation) reading.restart();
      cursors[reading.shard] = reading.cursor?.position;
      return snapshot;
    });
    const pages = await store.readLogs(cursors);
    const unfinished: ShardReading[] = [];
    const repairs = new Map<ShardReading, Repair>();
    for (const [index, reading] of open.entries()) {
      const [snapshot, page] = [snapshots[index], pages[reading.shard]];
      if (!snapshot || page === undefined || page instanceof StoreUnavailable) continue;
      const result = this.#take(reading, snapshot, page);
      if (result === 'failed' || result === 'complete') continue;
      unfinished.push(reading);
      if (result !== 'more') repairs.set(reading, result);
    }
    return { unfinished, repairs };
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
    this.#addEnds(shard, page.entries);
    return reading.add(page, incarnation, birth) ? 'complete' : 'more';
  }

  /** At once, since logs may hold more than a node keeps. An end is true, also if the rest of the round fails. */
  #addEnds(shard: number, entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) if (entry.what !== 'b') this.window.add({ shard, ...entry });
    this.#drop();
  }

  /** Takes in the states of all shards, in one turn of the event loop. */
  #takeIn(readings: readonly ShardReading[]): Round {
    const uncovered = new Set<number>();
    let storeTimeMs = Number.POSITIVE_INFINITY;
    for (const reading of readings) {
      const nowMs = reading.birth && this.#takeInShard(reading, reading.birth);
      if (nowMs === undefined) uncovered.add(reading.shard);
      else storeTimeMs = Math.min(storeTimeMs, nowMs);
    }
    // The store has lost these ends, and they cannot be restored yet. They count, because they were acknowledged.
    for (const record of this.#parts.ledger.unrestored.ends()) this.window.add(this.#parts.entryOf(record));
    this.#drop();
    return { uncovered, storeTimeMs: storeTimeMs === Number.POSITIVE_INFINITY ? 0 : storeTimeMs };
  }

  /** @returns the shard's time, Unix ms; undefined: the shard is not covered */
  #takeInShard({ shard, cursor, wholeSinceMs, latestMs }: ShardReading, birth: Birth): number | undefined {
    const { store } = this.#parts;
    const nowMs = timeOf(store, shard);
    if (nowMs === undefined) return undefined;
    this.#latestMs[shard] = latestMs;
    this.#nowMs[shard] = nowMs;
    if (cursor) this.#cursors[shard] = cursor;
    const findings = { birth, wholeSinceMs, nowMs, latestMs: Math.max(latestMs, store.latestMs(shard)) };
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
