// The store contract on a Redis Cluster.

import { setTimeout as sleep } from 'node:timers/promises';
import { describeStoreContract } from '../../contract/store-contract.js';
import { ClusterWorld } from '../../support/redis-cluster.js';
import { StorePool } from './store-pool.js';

describe('with a Redis Cluster', function () {
  this.timeout(120_000);
  let world: ClusterWorld;
  let stores: StorePool;
  before(async () => {
    world = await ClusterWorld.start();
    stores = new StorePool(world.url);
  });
  after(async () => {
    await stores?.close();
    await world?.stop();
  });

  describeStoreContract('RedisStore', async () => {
    await Promise.all(world.servers.slice(0, 3).map(({ raw }) => raw.flushall()));
    return {
      open: () => stores.open(),
      pass: (ms) => sleep(ms),
      dispose: () => stores.takeBack(),
    };
  });
});
