// The order of two states of an entry, and of two birth records: which one is later. Pure.

import { type Birth, generationIn, parseNotBefore, parseSession } from './entries.js';
import type { EntryKey } from './ports.js';

/** Whether a birth record is of an older state of the store than another one. */
export const isOlder = (birth: Birth, than: Birth): boolean =>
  birth.atMs === than.atMs ? birth.writes < than.writes : birth.atMs < than.atMs;

/** The progress of a session that is over: nothing follows it. */
export const ENDED = Number.POSITIVE_INFINITY;

/**
 * How far an entry has moved forward: entries never move back. Of a session its generation, of a cut-off its time.
 * @param text one that can be read: it was parsed before, or written by us
 */
export function progressOf(key: EntryKey, text: string): number {
  if (key.kind === 'not-before') return parseNotBefore(text)?.atMs ?? 0;
  return generationIn(text) ?? ENDED;
}

/**
 * Whether an entry that was acknowledged is further than the one that stands. Of one generation that was made twice, the
 * one that stands has been answered last.
 * @throws StoreUnavailable if what stands cannot be read
 */
export function isFurther(key: EntryKey, acknowledged: string, standing: string | undefined): boolean {
  if (standing === undefined) return true;
  if (key.kind === 'session') parseSession(standing);
  return progressOf(key, acknowledged) > progressOf(key, standing);
}
