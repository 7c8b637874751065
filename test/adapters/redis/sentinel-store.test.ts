// The store contract on a primary that Sentinels name.

import { SentinelWorld } from '../../support/redis-sentinel.js';
import { describeContractOn } from './store-pool.js';

describe('with a primary that Sentinels name', function () {
  this.timeout(120_000);
  describeContractOn(
    () => SentinelWorld.start(),
    async (world) => (await world.primary())?.raw.flushall(),
  );
});
