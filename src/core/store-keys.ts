// The store keys that decide on a token: their names, and those that are read together.

import type { EntryKey, Store, StoreKey } from './ports.js';
import type { SessionId } from './token/session-id.js';

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

export function storeKeysFor(store: Store, subject: string, sessionId: SessionId | undefined): StoreKeys {
  const shard = store.shardOf(subject);
  const entries: EntryKey[] = [notBeforeKey(subject), ...(sessionId ? [sessionKey(subject, sessionId)] : [])];
  return { shard, entries, keys: [{ kind: 'birth', shard }, ...entries] };
}
