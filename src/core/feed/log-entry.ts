// The entries of a shard's log: what ended, in the text format that all stores share.
//
// `s<id>` a session ended, `u<id> <ms>` a subject was cut off at that time, `d<id>` and `D<id>` a session or a subject
// may have ended, `b` the log begins. The id has 32 hex digits: a session's UUID, or the start of the SHA-256 of a
// subject.

import { StoreUnavailable } from '../errors.js';

/** What an entry says: `b`, or its kind and its id. */
export interface LogEntry {
  /** The kind's letter and the id: `s`, `u`, `d` or `D` and 32 hex digits, or `b` alone. */
  readonly what: string;
  /** Of a cut-off: sessions that started at or before it are denied, Unix ms; else 0. */
  readonly notBeforeMs: number;
  /** When it was appended, the time of its id, Unix ms. Never falls within a log. */
  readonly atMs: number;
  /** The time from which the log was whole when this was appended, Unix ms. */
  readonly wholeSinceMs: number;
}

/** One read of a shard's log, and then of its birth record. */
export interface LogPage {
  /** The entries after the cursor, in the order of the log, at most `PAGE_ENTRIES`. */
  readonly entries: readonly LogEntry[];
  /** The position of the last entry, for the next read; the same as before if there was none. */
  readonly cursor: string | undefined;
  /** Whether the log existed after its entries were read. */
  readonly exists: boolean;
  /** The text of the birth record, read last. */
  readonly birthText: string | undefined;
}

const TEXT = /^(?:([sdD])([0-9a-f]{32})|u([0-9a-f]{32}) (\d{1,15})|b)$/;
const TIME = /^\d{1,16}$/;

/** The text of an end without the time of a cut-off, which the store adds. @param hex the id, 32 hex digits */
export const endText = (kind: 'session' | 'not-before', hex: string): string =>
  `${kind === 'session' ? 's' : 'u'}${hex}`;

/** The text of a doubt about what an end's text names. */
export const doubtText = (end: string): string => `${end.startsWith('s') ? 'd' : 'D'}${end.slice(1)}`;

/** @throws StoreUnavailable if the texts cannot be read: an end must not be missed */
export function parseLogEntry(text: string, atMs: number, wholeSince: string): LogEntry {
  const [matched, kind, id, subject, notBefore] = TEXT.exec(text) ?? [];
  if (matched === undefined || !TIME.test(wholeSince))
    throw new StoreUnavailable('this version cannot read an entry of the log in the store');
  const wholeSinceMs = Number(wholeSince);
  if (subject !== undefined) return { what: `u${subject}`, notBeforeMs: Number(notBefore), atMs, wholeSinceMs };
  return { what: id === undefined ? 'b' : `${kind}${id}`, notBeforeMs: 0, atMs, wholeSinceMs };
}
