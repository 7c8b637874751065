// The keys of entries in the store, and those that decide on a token and are read together.

import type { SessionId } from '../token/session-id.js';

/** Identifies an entry. The adapter decides how that becomes a key. */
export type StoreKey =
  | { readonly kind: 'session'; readonly subject: string; readonly sessionId: SessionId }
  | { readonly kind: 'not-before'; readonly subject: string }
  | { readonly kind: 'birth'; readonly shard: number };

/** Identifies the entry of a session or a subject. */
export type EntryKey = Exclude<StoreKey, { readonly kind: 'birth' }>;

export const sessionKey = (subject: string, sessionId: SessionId) =>
  ({ kind: 'session', subject, sessionId }) as const satisfies StoreKey;
export const notBeforeKey = (subject: string) => ({ kind: 'not-before', subject }) as const satisfies StoreKey;

/** The keys that decide on a session or, without a session, on a subject. */
export interface StoreKeys {
  readonly shard: number;
  readonly entries: readonly EntryKey[];
  /** The birth record's key, then the entries'. */
  readonly keys: readonly StoreKey[];
}

/** How subjects are spread over shards; see the port `Store`. */
export interface Sharding {
  shardOf(subject: string): number;
}

export function storeKeysFor(store: Sharding, subject: string, sessionId: SessionId | undefined): StoreKeys {
  const shard = store.shardOf(subject);
  const entries: EntryKey[] = [notBeforeKey(subject), ...(sessionId ? [sessionKey(subject, sessionId)] : [])];
  return { shard, entries, keys: [{ kind: 'birth', shard }, ...entries] };
}
