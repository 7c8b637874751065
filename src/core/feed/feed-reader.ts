// The rounds by which a node follows the logs of all shards.
//
// A round takes in the ends of each page as it is read, and the states of the shards when all logs have been read, within
// one turn of the event loop. After it, the node knows every end that was in the store when the round began, in the
// shards that it covers.

import type { AckRecord } from '../durability/ack-list.js';
import type { Births } from '../durability/births.js';
import type { Ledger } from '../durability/ledger.js';
import { StoreUnavailable } from '../errors.js';
import type { RevocationLogs, Store } from '../ports.js';
import type { Birth } from '../session/entries.js';
import { MAX_ENTRIES } from './limits.js';
import type { LogEntry } from './log-entry.js';
import { type Cursor, LogReader, type Reading } from './log-reader.js';
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

export class FeedReader {
  readonly window = new Window();
  readonly states = new ShardStates();
  readonly #parts: FeedReaderParts;
  readonly #logs: LogReader;
  // By shard, which are few and numbered without gaps.
  readonly #cursors: (Cursor | undefined)[] = [];
  /** The highest time of its entries, and its time in the last round that read it, Unix ms. */
  readonly #latestMs: (number | undefined)[] = [];
  readonly #nowMs: (number | undefined)[] = [];

  constructor(parts: FeedReaderParts) {
    this.#parts = parts;
    this.#logs = new LogReader(parts, (shard, entries) => this.#add(shard, entries));
  }

  /** Reads all logs, and takes in what they hold. One round at a time. */
  async round(): Promise<Round> {
    const { ledger, store } = this.#parts;
    const { unrestored } = ledger;
    const { restores } = unrestored;
    const readings = Array.from({ length: store.shards }, (_, shard): Reading => {
      const latestMs = this.#latestMs[shard] ?? 0;
      return { shard, cursor: this.#cursors[shard], wholeSinceMs: undefined, latestMs, birth: undefined };
    });
    await this.#logs.read(readings);
    const round = this.#takeIn(readings);
    // The logs may have been read before an end was restored that the ledger no longer counts as lost.
    return unrestored.restores === restores
      ? round
      : { uncovered: new Set(readings.map(({ shard }) => shard)), storeTimeMs: 0 };
  }

  /**
   * Takes in a page, also if the rest of the round fails: its ends are true. At once, since the logs may hold more than a
   * node keeps.
   */
  #add(shard: number, entries: readonly LogEntry[]): void {
    for (const entry of entries) if (entry.what !== 'b') this.window.add({ shard, ...entry });
    this.#drop();
  }

  /** Takes in the states of all shards, in one turn of the event loop. */
  #takeIn(readings: readonly Reading[]): Round {
    const uncovered = new Set<number>();
    let storeTimeMs = Number.POSITIVE_INFINITY;
    for (const reading of readings) {
      const nowMs = reading.birth && this.#takeInShard(reading, reading.birth);
      if (nowMs === undefined) uncovered.add(reading.shard);
      else storeTimeMs = Math.min(storeTimeMs, nowMs);
    }
    // The store has lost them, and cannot be given them now. They are true all the same.
    for (const record of this.#parts.ledger.unrestored.ends()) this.window.add(this.#parts.entryOf(record));
    this.#drop();
    return { uncovered, storeTimeMs: storeTimeMs === Number.POSITIVE_INFINITY ? 0 : storeTimeMs };
  }

  /** @returns the shard's time, Unix ms; undefined: the shard is not covered */
  #takeInShard({ shard, cursor, wholeSinceMs, latestMs }: Reading, birth: Birth): number | undefined {
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

function timeOf(store: Store, shard: number): number | undefined {
  try {
    return store.now(shard);
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}
