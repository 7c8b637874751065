// Owns what becomes of a lost swap: a few tries more, and then no verdict.

import { StoreUnavailable } from './errors.js';
import { MAX_ATTEMPTS } from './policy.js';

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
