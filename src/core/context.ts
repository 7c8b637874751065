// Owns what every use case is given: the ports, the settings, and one call's place in time.

import type { Births } from './births.js';
import type { Ledger } from './ledger.js';
import { type Policy, VERDICT_AGE_MS } from './policy.js';
import type { Call, Crypto, Keys, Memory, Store } from './ports.js';
import type { Starts } from './starts.js';
import type { Verified } from './verified.js';

export interface Context {
  readonly store: Store;
  readonly keys: Keys;
  readonly crypto: Crypto;
  /** Access tokens that were found authentic, by their text. */
  readonly verified: Memory<Verified>;
  readonly policy: Policy;
  readonly births: Births;
  readonly ledger: Ledger;
  readonly starts: Starts;
}

/** Until when this call may write to a shard, in its time, Unix ms. Taken once, when its tokens have proved authentic. */
export const writeUntilMs = ({ store }: Pick<Context, 'store'>, call: Call, shard: number): number =>
  store.now(shard) + Math.min(call.budgetMs, VERDICT_AGE_MS);
