// What a round has read of one shard so far: its position in the log, what its entries say, and its birth record.

import type { Birth } from '../session/entries.js';
import { PAGE_ENTRIES } from './limits.js';
import type { LogPage } from './log-entry.js';

/**
 * A position in a shard's log, good for one incarnation of its server: another one may have other entries before it.
 */
export interface Cursor {
  readonly incarnation: string | undefined;
  readonly position: string | undefined;
}

export class ShardReading {
  readonly shard: number;
  #cursor: Cursor | undefined;
  #wholeSinceMs: number | undefined;
  #latestMs: number;
  #birth: Birth | undefined;

  /**
   * @param cursor where the last round ended; undefined: the start of the log
   * @param latestMs the highest time of the entries that were read before, Unix ms
   */
  constructor(shard: number, cursor: Cursor | undefined, latestMs: number) {
    this.shard = shard;
    this.#cursor = cursor;
    this.#latestMs = latestMs;
  }

  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  /** `wholeSinceMs` of the last entry; undefined: none was read. */
  get wholeSinceMs(): number | undefined {
    return this.#wholeSinceMs;
  }

  /** The highest time of an entry, Unix ms. */
  get latestMs(): number {
    return this.#latestMs;
  }

  /** Undefined until the reading is complete. */
  get birth(): Birth | undefined {
    return this.#birth;
  }

  /** Begins at the start of the log: entries may lie before the position, or be missing. */
  restart(): void {
    this.#cursor = undefined;
    this.#wholeSinceMs = undefined;
  }

  /** Takes note of a page of the log. @returns whether it was the last one */
  add({ entries, cursor: position }: LogPage, incarnation: string | undefined, birth: Birth): boolean {
    for (const { wholeSinceMs, atMs } of entries) {
      this.#wholeSinceMs = Math.max(this.#wholeSinceMs ?? 0, wholeSinceMs);
      this.#latestMs = Math.max(this.#latestMs, atMs);
    }
    this.#cursor = { incarnation, position };
    if (entries.length === PAGE_ENTRIES) return false;
    this.#birth = birth;
    return true;
  }
}
