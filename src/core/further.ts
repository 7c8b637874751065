// The order of two states of an entry, and of two birth records: which one is later. Pure.

import { type Birth, parseNotBefore, parseSession } from './entries.js';
import type { EntryKey } from './ports.js';

/** Whether a birth record is of an older state of the store than another one. */
export const isOlder = (birth: Birth, than: Birth): boolean =>
  birth.atMs === than.atMs ? birth.writes < than.writes : birth.atMs < than.atMs;

/** The progress of a session that is over: nothing follows it. */
export const ENDED = Number.POSITIVE_INFINITY;

/**
 * How far an entry has moved forward: entries never move back. Of a session its generation, of a cut-off its time.
 * @throws StoreUnavailable if the text cannot be read
 */
export function progressOf(key: EntryKey, text: string): number {
  if (key.kind === 'not-before') return parseNotBefore(text)?.atMs ?? 0;
  const session = parseSession(text);
  return session?.state === 'live' ? session.generation : ENDED;
}

/**
 * Whether an entry that was acknowledged is further than the one that stands. Of one generation that was made twice, the
 * one that stands has been answered last.
 */
export const isFurther = (key: EntryKey, acknowledged: string, standing: string | undefined): boolean =>
  standing === undefined || progressOf(key, acknowledged) > progressOf(key, standing);
