// The log of one shard in the store of tests: appended to and read as the real stores do it, without their steps.

import { MARGIN_MS, PAGE_ENTRIES } from '../../src/core/feed/limits.js';
import type { LogEntry, LogPage } from '../../src/core/feed/log-entry.js';

/** The circumstances of an append. Times in Unix ms. */
export interface Appending {
  readonly nowMs: number;
  readonly windowMs: number;
  readonly latestMs: number;
  readonly isAnew: boolean;
}

/** An entry with its id, whose whole part is its time. A stream has a number beside the time; here it is the fraction. */
export interface WorldEntry extends LogEntry {
  readonly id: number;
}

const STEP = 0.001;

/** The log with an entry more, and without those that are over. Each time is higher than the one before. */
export function appended(
  log: readonly WorldEntry[],
  entry: Pick<LogEntry, 'what' | 'notBeforeMs'> | undefined,
  { nowMs, windowMs, latestMs, isAnew }: Appending,
): readonly WorldEntry[] {
  const last = log.at(-1);
  const begins = !last || isAnew;
  const horizonMs = nowMs - windowMs;
  const highestMs = Math.max(last?.atMs ?? 0, latestMs);
  let wholeSinceMs = Math.max(begins ? Math.max(nowMs, latestMs) : last.wholeSinceMs, horizonMs);
  if (highestMs > nowMs + MARGIN_MS) wholeSinceMs = Math.max(wholeSinceMs, highestMs);
  const fromMs = Math.max(last ? nowMs : Math.max(nowMs, latestMs), last ? last.id + STEP : 0);
  const added = [...(begins ? [{ what: 'b', notBeforeMs: 0 }] : []), ...(entry ? [entry] : [])];
  const entries = added.map((each, index) => {
    const id = fromMs + index * STEP;
    return { ...each, id, atMs: Math.floor(id), wholeSinceMs };
  });
  return [...log, ...entries].filter(({ atMs }) => atMs >= horizonMs);
}

/** The entries after a cursor, which is the id of an entry. */
export function pageAfter(
  log: readonly WorldEntry[] | undefined,
  cursor: string | undefined,
): Omit<LogPage, 'birthText'> {
  const entries = (log ?? []).filter(({ id }) => id > Number(cursor ?? 0)).slice(0, PAGE_ENTRIES);
  const last = entries.at(-1);
  return { entries, cursor: last ? `${last.id}` : cursor, exists: log !== undefined };
}
