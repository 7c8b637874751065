// The store contract: one suite that runs against each adapter.

import { describeLogging } from './logging.js';
import { describeRacing } from './racing.js';
import { describeReading } from './reading.js';
import { StoreBench, type StoreWorld } from './store-bench.js';
import { describeWriting } from './writing.js';

/**
 * Declares the suite.
 * @param create makes an empty data set
 */
export function describeStoreContract(name: string, create: () => Promise<StoreWorld>): void {
  describe(`${name} as a store`, () => {
    const bench = new StoreBench(create);
    beforeEach(() => bench.start());
    afterEach(() => bench.stop());
    describeWriting(bench);
    describeReading(bench);
    describeRacing(bench);
    describeLogging(bench);
  });
}
