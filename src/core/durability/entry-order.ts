// The order of an entry's states, and of a birth record's: which of two is later. Pure.

import { type Birth, generationIn, parseNotBefore, parseSession } from '../session/entries.js';
import type { EntryKey } from '../session/store-keys.js';

/** Whether a birth record comes from an older state of the store than another one. */
export const isOlder = (birth: Birth, than: Birth): boolean =>
  birth.atMs === than.atMs ? birth.writes < than.writes : birth.atMs < than.atMs;

/** The progress of an ended session: no later state exists. */
export const ENDED = Number.POSITIVE_INFINITY;

/**
 * The progress of an entry, which never decreases: a session's generation, a cut-off's time.
 * @param text a readable one: parsed before, or written by this process
 */
export function progressOf(key: EntryKey, text: string): number {
  if (key.kind === 'not-before') return parseNotBefore(text)?.atMs ?? 0;
  return generationIn(text) ?? ENDED;
}

/** Whether an entry ends a session or cuts off a subject. @param text see `progressOf` */
export const isEnd = (key: EntryKey, text: string): boolean =>
  key.kind === 'not-before' || progressOf(key, text) === ENDED;

/**
 * Whether an acknowledged state is later than the stored one. If a generation was created twice, the stored one was
 * returned last and wins.
 * @throws StoreUnavailable if the stored text cannot be read
 */
export function supersedes(key: EntryKey, acknowledged: string, stored: string | undefined): boolean {
  if (stored === undefined) return true;
  if (key.kind === 'session') parseSession(stored);
  return progressOf(key, acknowledged) > progressOf(key, stored);
}
