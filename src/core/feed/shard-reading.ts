// What a round has read of one shard so far: its position in the log, the entries, and at the end the birth record.

import type { Birth } from '../session/entries.js';
import { PAGE_ENTRIES } from './limits.js';
import type { LogEntry, LogPage } from './log-entry.js';

/**
 * A position in a shard's log, good for one incarnation of its server: another one may have other entries before it.
 */
export interface Cursor {
  readonly incarnation: string | undefined;
  readonly position: string | undefined;
}

export class ShardReading {
  #cursor: Cursor | undefined;
  #entries: LogEntry[] = [];
  #birth: Birth | undefined;

  /** @param cursor where the last round ended; undefined: the start of the log */
  constructor(cursor: Cursor | undefined) {
    this.#cursor = cursor;
  }

  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  /** Undefined until the reading is complete. */
  get birth(): Birth | undefined {
    return this.#birth;
  }

  /** Begins at the start of the log: entries may lie before the position, or be missing. */
  restart(): void {
    this.#cursor = undefined;
    this.#entries = [];
  }

  /** Adds a page of the log. @returns whether it was the last one */
  add({ entries, cursor: position }: LogPage, incarnation: string | undefined, birth: Birth): boolean {
    this.#entries.push(...entries);
    this.#cursor = { incarnation, position };
    if (entries.length === PAGE_ENTRIES) return false;
    this.#birth = birth;
    return true;
  }
}
