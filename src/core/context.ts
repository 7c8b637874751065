// The dependencies of every use case: ports, settings and process-wide state; and the write deadline of a call.

import type { GuardedStore } from './durability/guarded-store.js';
import { MAX_WRITE_AGE_MS } from './durability/limits.js';
import type { Policy } from './policy.js';
import type { Call, Crypto, Keys, Memory } from './ports.js';
import type { LatestSessionStart } from './session/latest-session-start.js';
import type { Verified } from './session/verified-token.js';

export interface Context {
  readonly store: GuardedStore;
  readonly keys: Keys;
  readonly crypto: Crypto;
  /** Verified access tokens, by their text. */
  readonly verified: Memory<Verified>;
  readonly policy: Policy;
  readonly latestStart: LatestSessionStart;
}

/** The time until which a call may write to a shard, the shard's time, Unix ms. Computed once, after authentication. */
export const writeDeadlineMs = ({ store }: Pick<Context, 'store'>, call: Call, shard: number): number =>
  store.now(shard) + Math.min(call.budgetMs, MAX_WRITE_AGE_MS);
