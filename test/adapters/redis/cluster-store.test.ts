// The store contract on a Redis Cluster.

import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisStore } from '../../../src/adapters/redis/redis-store.js';
import { describeStoreContract } from '../../contract/store-contract.js';
import { ClusterWorld } from '../../support/redis-cluster.js';
import { openStore, PATIENT } from './redis-world.js';

describe('with a Redis Cluster', function () {
  this.timeout(120_000);
  let world: ClusterWorld;
  before(async () => {
    world = await ClusterWorld.start();
  });
  after(() => world.stop());

  describeStoreContract('RedisStore', async () => {
    const stores: RedisStore[] = [];
    await Promise.all(world.servers.slice(0, 3).map(({ raw }) => raw.flushall()));
    return {
      async open() {
        const { store } = openStore(world.url, PATIENT);
        stores.push(store);
        await store.opened();
        return store;
      },
      async pass(ms) {
        await sleep(ms);
      },
      async dispose() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  });
});
