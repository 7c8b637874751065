// Owns what every adapter of the store port must do, as one suite that is run against each of them.

import { describeRacing } from './racing.js';
import { describeReading } from './reading.js';
import type { StoreBench, StoreWorld } from './store-bench.js';
import { describeWriting } from './writing.js';

/**
 * Declares the suite.
 * @param create makes an empty data set
 */
export function describeStoreContract(name: string, create: () => Promise<StoreWorld>): void {
  describe(`${name} as a store`, () => {
    PLACEHOLDER
  });
}
