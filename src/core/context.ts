// Owns what every use case is given: the ports, the settings, and one call's place in time.

import type { Births } from './births.js';
import { StoreUnavailable } from './errors.js';
import { MAX_ATTEMPTS, type Policy, VERDICT_AGE_MS } from './policy.js';
import type { Call, Crypto, Keys, Store } from './ports.js';
import type { Starts } from './starts.js';

export interface Context {
  readonly store: Store;
  readonly keys: Keys;
  readonly crypto: Crypto;
  readonly policy: Policy;
  readonly births: Births;
  readonly starts: Starts;
}

/** Until when this call may write, in the store's time, Unix ms. Taken once, at the call's start. */
export const writeUntilMs = (context: Context, call: Call): number =>
  context.store.now() + Math.min(call.budgetMs, VERDICT_AGE_MS);

/**
 * Tries until an attempt has a result; an attempt that lost its swap has none. A few losses in a row mean that the
 * key is fought over by more than our own callers: the answer is then "cannot tell", not a loop.
 */
export async function attempt<T>(once: () => Promise<T | undefined>): Promise<T> {
  for (let n = 0; n < MAX_ATTEMPTS; n++) {
    const result = await once();
    if (result !== undefined) return result;
  }
  throw new StoreUnavailable(`lost ${MAX_ATTEMPTS} swaps of one entry in a row`);
}
