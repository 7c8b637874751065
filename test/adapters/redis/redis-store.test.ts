// The store contract on a single Redis.

import type { RedisStore } from '../../../src/adapters/redis/redis-store.js';
import { describeStoreContract } from '../../contract/store-contract.js';
import { RedisServer } from '../../support/redis-server.js';
import { elapse } from '../../support/waiting.js';
import { openReachable, PATIENT } from './redis-world.js';

describe('with a single Redis', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.stop());

  describeStoreContract('RedisStore', async () => {
    const stores: RedisStore[] = [];
    await server.raw.flushall();
    return {
      async open() {
        const { store } = await openReachable(server, PATIENT);
        stores.push(store);
        return store;
      },
      async pass(ms) {
        await elapse(ms, 'the lifetimes of entries pass');
      },
      async dispose() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  });
});
