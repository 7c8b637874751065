// The log of ends in LMDB: `log:<id>` with `<whole since> <entry>`, appended in the transaction of the end itself.
//
// An id has 16 digits: the time in Unix ms, and a number from 000. It rises with every entry, also while the machine's
// clock is set back.

import { StoreUnavailable } from '../../core/errors.js';
import { MARGIN_MS, PAGE_ENTRIES } from '../../core/feed/limits.js';
import { type LogEntry, type LogPage, parseLogEntry } from '../../core/feed/log-entry.js';
import type { Database } from './database.js';
import type { Snapshot } from './read-turn.js';

const PREFIX = 'log:';
const PER_MS = 1_000;
/** Beyond every id. */
const AFTER = `${PREFIX}~`;
/** The most entries that one append removes. It adds two at most. */
const TRIMMED = 100;

/** The time, and how an entry is appended. All times are Unix ms. */
export interface Append {
  readonly nowMs: number;
  /** The latest time that is known, which may be ahead of the clock. */
  readonly latestMs: number;
  /** The text of the entry; undefined: none, the log only begins. */
  readonly text: string | undefined;
  /** Whether the log begins anew, although it exists: an earlier version has written without it. */
  readonly isAnew: boolean;
}

export class RevocationLog {
  readonly #database: Database;
  readonly #windowMs: number;

  /** @param windowMs how long an entry is needed, ms */
  constructor(database: Database, windowMs: number) {
    this.#database = database;
    this.#windowMs = windowMs;
  }

  /** Whether there is an entry. Call it within a transaction. */
  get exists(): boolean {
    return this.#last() !== undefined;
  }

  /** Appends an entry. Call it within the transaction of the write that it is about. */
  append({ nowMs, latestMs, text, isAnew }: Append): void {
    const last = this.#last();
    const horizonMs = nowMs - this.#windowMs;
    const begins = last === undefined || isAnew;
    const lastMs = last === undefined ? 0 : timeOf(last.id);
    let wholeSinceMs = Math.max(begins ? Math.max(nowMs, latestMs) : last.wholeSinceMs, horizonMs);
    const highestMs = Math.max(lastMs, latestMs);
    // The clock was set back: by its later time, entries may have been dropped that count again.
    if (highestMs > nowMs + MARGIN_MS) wholeSinceMs = Math.max(wholeSinceMs, highestMs);
    const firstMs = last === undefined ? Math.max(nowMs, latestMs) : nowMs;
    let id = Math.max(firstMs * PER_MS, (last?.id ?? 0) + 1);
    const put = (entry: string): void => void this.#database.put(nameOf(id++), `${wholeSinceMs} ${entry}`);
    if (begins) put('b');
    if (text !== undefined) put(text);
    this.#trim(horizonMs);
  }

  /** Reads the entries after a cursor, and then the birth record, within one snapshot. @throws StoreUnavailable */
  read(cursor: string | undefined, get: (name: string) => string | undefined, transaction: Snapshot): LogPage {
    const start = cursor ?? PREFIX;
    const range = { start, end: AFTER, exclusiveStart: true, limit: PAGE_ENTRIES, transaction };
    const rows = [...this.#database.getRange(range)];
    const exists = rows.length > 0 || this.#isThere(transaction);
    return {
      entries: rows.map(({ key, value }) => entryOf(key, value)),
      cursor: rows.at(-1)?.key ?? cursor,
      exists,
      birthText: get('born:0'),
    };
  }

  #isThere(transaction: Snapshot): boolean {
    const range = { start: PREFIX, end: AFTER, limit: 1, transaction };
    return [...this.#database.getKeys(range)].length > 0;
  }

  #last(): { readonly id: number; readonly wholeSinceMs: number } | undefined {
    for (const { key, value } of this.#database.getRange({ start: AFTER, end: PREFIX, reverse: true, limit: 1 })) {
      const { wholeSinceMs } = entryOf(key, value);
      return { id: idOf(key), wholeSinceMs };
    }
    return undefined;
  }

  #trim(horizonMs: number): void {
    if (horizonMs <= 0) return;
    const old = this.#database.getKeys({ start: PREFIX, end: nameOf(horizonMs * PER_MS), limit: TRIMMED });
    for (const name of [...old]) this.#database.remove(name);
  }
}

const nameOf = (id: number): string => `${PREFIX}${`${id}`.padStart(16, '0')}`;
const idOf = (name: string): number => Number(name.slice(PREFIX.length));
const timeOf = (id: number): number => Math.floor(id / PER_MS);

function entryOf(name: string, value: string): LogEntry {
  const id = idOf(name);
  const space = value.indexOf(' ');
  if (!Number.isSafeInteger(id) || space < 0) throw new StoreUnavailable('the log in the data folder cannot be read');
  return parseLogEntry(value.slice(space + 1), timeOf(id), value.slice(0, space));
}
