// The store contract on a primary that Sentinels name.

import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisStore } from '../../../src/adapters/redis/redis-store.js';
import { describeStoreContract } from '../../contract/store-contract.js';
import { SentinelWorld } from '../../support/redis-sentinel.js';
import { openStore, PATIENT } from './redis-world.js';

describe('with a primary that Sentinels name', function () {
  this.timeout(120_000);
  let world: SentinelWorld;
  before(async () => {
    world = await SentinelWorld.start();
  });
  after(() => world.stop());

  describeStoreContract('RedisStore', async () => {
    const stores: RedisStore[] = [];
    await (await world.primary())?.raw.flushall();
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
