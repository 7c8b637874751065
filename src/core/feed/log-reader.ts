// The reads of the logs in one round: page by page, each checked as any read is checked, and repeated after a repair.

import type { Births } from '../durability/births.js';
import type { ShardSnapshot } from '../durability/known-shards.js';
import type { Ledger } from '../durability/ledger.js';
import { MAX_ATTEMPTS } from '../durability/limits.js';
import { StoreUnavailable } from '../errors.js';
import type { RevocationLogs, Store } from '../ports.js';
import type { Birth } from '../session/entries.js';
import { PAGE_ENTRIES } from './limits.js';
import type { LogEntry, LogPage } from './log-entry.js';

export interface LogReaderParts {
  readonly store: Store & RevocationLogs;
  readonly births: Births;
  readonly ledger: Ledger;
}

/** A position in a shard's log, good for one incarnation of its server: another one may have other entries before it. */
export interface Cursor {
  readonly incarnation: string | undefined;
  readonly position: string | undefined;
}

/** What a round has read of one shard so far. */
export interface Reading {
  readonly shard: number;
  cursor: Cursor | undefined;
  /** The highest of its entries; undefined: it has none. */
  wholeSinceMs: number | undefined;
  /** The highest time of its entries, and of those that were read before, Unix ms. */
  latestMs: number;
  /** Set once it is complete. */
  birth: Birth | undefined;
}

/** What must be done before a shard is read again. */
type Repair = () => Promise<unknown>;

/** The shards that a read has not finished, and repairs for some of them. */
interface Unfinished {
  readonly unfinished: readonly Reading[];
  readonly repairs: ReadonlyMap<Reading, Repair>;
}

export class LogReader {
  readonly #parts: LogReaderParts;
  readonly #taken: (shard: number, entries: readonly LogEntry[]) => void;

  /** @param taken gets the entries of each page that has passed its checks */
  constructor(parts: LogReaderParts, taken: (shard: number, entries: readonly LogEntry[]) => void) {
    this.#parts = parts;
    this.#taken = taken;
  }

  /** Reads all that is in the logs when it is called. A reading without a birth afterwards is not complete. */
  async read(readings: readonly Reading[]): Promise<void> {
    let open = readings;
    for (let attempt = 0; attempt < MAX_ATTEMPTS && open.length > 0; ) {
      const { unfinished, repairs } = await this.#readOnce(open);
      open = unfinished;
      // Further pages are not further attempts: all that was there when the round began must be read.
      if (repairs.size === 0) continue;
      attempt++;
      const failed = new Set<Reading>();
      await Promise.all([...repairs].map(([reading, repair]) => attemptRepair(repair, () => failed.add(reading))));
      open = unfinished.filter((reading) => !failed.has(reading));
    }
  }

  /** Reads some shards once. @returns those that must be read again, and what must be done before */
  async #readOnce(open: readonly Reading[]): Promise<Unfinished> {
    const { store, ledger } = this.#parts;
    const cursors = new Array<string | undefined>(store.shards).fill(undefined);
    const snapshots = open.map((reading) => {
      const snapshot = ledger.snapshot(reading.shard);
      if (reading.cursor?.incarnation !== snapshot.incarnation) restart(reading);
      cursors[reading.shard] = reading.cursor?.position;
      return snapshot;
    });
    const pages = await store.readLogs(cursors);
    const unfinished: Reading[] = [];
    const repairs = new Map<Reading, Repair>();
    for (const [index, reading] of open.entries()) {
      const snapshot = snapshots[index];
      const page = pages[reading.shard];
      if (!snapshot || page === undefined || page instanceof StoreUnavailable) continue;
      const result = this.#take(reading, snapshot, page);
      if (result === 'failed' || result === 'complete') continue;
      unfinished.push(reading);
      if (result !== 'more') repairs.set(reading, result);
    }
    return { unfinished, repairs };
  }

  #take(reading: Reading, snapshot: ShardSnapshot, page: LogPage): 'failed' | 'more' | 'complete' | Repair {
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
      restart(reading);
      return () => ledger.reconcile(shard);
    }
    const isEmpty = page.cursor === undefined;
    // The ids of a log that begins anew may lie before the position.
    if (!page.exists) restart(reading);
    if (!page.exists || !birth.isLogged || isEmpty) return () => store.beginLog(shard);
    this.#takeIn(reading, page.entries);
    reading.cursor = { incarnation, position: page.cursor };
    if (page.entries.length === PAGE_ENTRIES) return 'more';
    reading.birth = birth;
    return 'complete';
  }

  #takeIn(reading: Reading, entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    for (const { wholeSinceMs, atMs } of entries) {
      reading.wholeSinceMs = Math.max(reading.wholeSinceMs ?? 0, wholeSinceMs);
      reading.latestMs = Math.max(reading.latestMs, atMs);
    }
    this.#taken(reading.shard, entries);
  }
}

/** From the start of the log: entries may lie before the position, or be missing. */
function restart(reading: Reading): void {
  reading.cursor = undefined;
  reading.wholeSinceMs = undefined;
}

async function attemptRepair(repair: Repair, failed: () => void): Promise<void> {
  try {
    await repair();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    failed();
  }
}
