// The store contract on a primary that Sentinels name.

import { describeStoreContract } from '../../contract/store-contract.js';
import { SentinelWorld } from '../../support/redis-sentinel.js';
import { elapse } from '../../support/waiting.js';
import { StorePool } from './store-pool.js';

describe('with a primary that Sentinels name', function () {
  this.timeout(120_000);
  let world: SentinelWorld;
  let stores: StorePool;
  before(async () => {
    world = await SentinelWorld.start();
    stores = new StorePool(world.url);
  });
  after(async () => {
    await stores?.close();
    await world?.stop();
  });

  describeStoreContract('RedisStore', async () => {
    await (await world.primary())?.raw.flushall();
    return {
      open: () => stores.open(),
      pass: (ms) => elapse(ms, 'the lifetimes of entries pass'),
      dispose: () => stores.takeBack(),
    };
  });
});
