// The retry after a write conflict: a bounded number of attempts, then StoreUnavailable.

import { StoreUnavailable } from '../errors.js';
import { MAX_ATTEMPTS } from './limits.js';

/**
 * Runs an operation until it has a result; one whose write was not applied has none. Several losses in a row mean that
 * something else is writing this key: the operation gives up rather than loop.
 * @throws StoreUnavailable after the last attempt
 */
export async function retryOnConflict<T>(once: () => Promise<T | undefined>): Promise<T> {
  for (let n = 0; n < MAX_ATTEMPTS; n++) {
    const result = await once();
    if (result !== undefined) return result;
  }
  throw tooManyConflicts();
}

/** The error after the last attempt. */
export const tooManyConflicts = (): StoreUnavailable =>
  new StoreUnavailable(`gave up after ${MAX_ATTEMPTS} attempts: the entry changed during each of them`);
