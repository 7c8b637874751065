// Owns how the store is given back what it lacks: one entry, or one birth record, as it was.

import { attempt } from './attempt.js';
import type { Line } from './chain.js';
import { type Birth, birthValue, draftOf, parseBirth } from './entries.js';
import { isFurther, isOlder } from './further.js';
import { VERDICT_AGE_MS } from './policy.js';
import type { Store, StoreKey } from './ports.js';

/**
 * Puts an entry back, unless what stands is as far or further.
 * @returns whether the store held less than it
 * @throws StoreUnavailable
 */
export async function putBack(store: Store, { shard, key, text, keptUntilMs }: Line): Promise<boolean> {
  return attempt(async () => {
    const [standing] = await store.read([key]);
    const lifetimeMs = keptUntilMs - store.now(shard);
    if (lifetimeMs <= 0 || !isFurther(key, text, standing)) return false;
    const { value, atMs } = draftOf(text);
    return (await put(store, shard, key, standing, value, atMs, lifetimeMs)) || undefined;
  });
}

/**
 * Puts a birth record back where an earlier one stands: sessions that it denies would stand again.
 * @returns the record that stood, if it was of an older state; undefined if not
 * @throws StoreUnavailable
 */
export async function putBirthBack(store: Store, shard: number, before: Birth): Promise<Birth | undefined> {
  const key: StoreKey = { kind: 'birth', shard };
  const stood = await attempt(async () => {
    const [text] = await store.read([key]);
    const birth = parseBirth(text);
    // One that is missing is written by the next who needs it, and denies all that was.
    if (!birth || !isOlder(birth, before)) return 'none' as const;
    if (birth.atMs === before.atMs) return birth;
    const value = birthValue(before.foreignSinceMs, before.writes);
    return (await put(store, shard, key, text, value, before.atMs, undefined)) ? birth : undefined;
  });
  return stood === 'none' ? undefined : stood;
}

/** With the stamp that it had: a cut-off must not end what began since, nor a window begin anew. */
async function put(
  store: Store,
  shard: number,
  key: StoreKey,
  expected: string | undefined,
  value: string,
  atMs: number,
  lifetimeMs: number | undefined,
): Promise<boolean> {
  const draft = { value, atLeastMs: atMs, atMostMs: atMs };
  return (await store.swap(key, expected, draft, lifetimeMs, store.now(shard) + VERDICT_AGE_MS)).won;
}
