// The restore of an entry or a birth record that the store has lost, with its old stamp.

import type { Store } from '../ports.js';
import { type Birth, birthValue, draftOf, parseBirth } from '../session/entries.js';
import type { StoreKey } from '../session/store-keys.js';
import type { AckRecord } from './ack-record.js';
import { isEnd, isOlder, supersedes } from './entry-order.js';
import { MAX_WRITE_AGE_MS } from './limits.js';
import { retryOnConflict } from './retry-on-conflict.js';

/**
 * Restores an entry, unless the store holds the same or a later state.
 * @returns whether the store had lost it
 * @throws StoreUnavailable
 */
export async function restoreEntry(store: Store, { shard, key, text, keptUntilMs }: AckRecord): Promise<boolean> {
  return retryOnConflict(async () => {
    const [stored] = await store.read([key]);
    const lifetimeMs = keptUntilMs - store.now(shard);
    if (lifetimeMs <= 0 || !supersedes(key, text, stored)) return false;
    const { value, atMs } = draftOf(text);
    // A restored end is logged again: the log may have lost it, too.
    const lost = { key, expected: stored, value, atMs, lifetimeMs, isEnd: isEnd(key, text) };
    return (await restoreText(store, shard, lost)) || undefined;
  });
}

/**
 * Restores a birth record over an earlier one, which would accept sessions that the lost one denies.
 * @returns the earlier record; undefined: nothing was lost
 * @throws StoreUnavailable
 */
export async function restoreBirth(store: Store, shard: number, before: Birth): Promise<Birth | undefined> {
  const key: StoreKey = { kind: 'birth', shard };
  const earlier = await retryOnConflict(async () => {
    const [text] = await store.read([key]);
    const birth = parseBirth(text);
    // A missing record is written by the next call that needs it, and denies all earlier sessions.
    if (!birth || !isOlder(birth, before)) return 'none' as const;
    if (birth.atMs === before.atMs) return birth;
    const value = birthValue(before.adoptedSinceMs, before.writes);
    const lost = { key, expected: text, value, atMs: before.atMs, lifetimeMs: undefined, isEnd: false };
    return (await restoreText(store, shard, lost)) ? birth : undefined;
  });
  return earlier === 'none' ? undefined : earlier;
}

interface LostEntry {
  readonly key: StoreKey;
  /** The text now at the key. */
  readonly expected: string | undefined;
  readonly value: string;
  readonly atMs: number;
  readonly lifetimeMs: number | undefined;
  readonly isEnd: boolean;
}

/** Writes with the old stamp: a restored cut-off must not end newer sessions, nor restart a grace window. */
async function restoreText(store: Store, shard: number, lost: LostEntry): Promise<boolean> {
  const { key, expected, value, atMs, lifetimeMs, isEnd } = lost;
  const draft = { value, atLeastMs: atMs, atMostMs: atMs, lifetimeMs, notAfterMs: store.now(shard) + MAX_WRITE_AGE_MS };
  const update = isEnd ? { ...draft, logged: { presentedMs: 0 } } : draft;
  return (await store.compareAndSet(key, expected, update)).applied;
}
