// Stores that the tests of one file share: to find a cluster, or what Sentinels name, takes a store more than a second.

import type { RedisStore } from '../../../src/adapters/redis/redis-store.js';
import { describeStoreContract } from '../../contract/store-contract.js';
import { elapse } from '../../support/waiting.js';
import { openStore, PATIENT } from './redis-world.js';

/** Gives each test stores that no other test uses at the same time. */
export class StorePool {
  readonly #url: string;
  #idle: RedisStore[] = [];
  #lent: RedisStore[] = [];

  /** @param url of the data set */
  constructor(url: string) {
    this.#url = url;
  }

  /** A store that is ready to use. */
  async open(): Promise<RedisStore> {
    const store = this.#idle.pop() ?? openStore(this.#url, PATIENT).store;
    this.#lent.push(store);
    await store.opened();
    return store;
  }

  /** Takes back all stores; one that the test has closed, or that has lost its servers, serves no other test. */
  async takeBack(): Promise<void> {
    const isUsable = ({ reachableSinceMs }: RedisStore): boolean => reachableSinceMs !== undefined;
    const lent = this.#lent;
    this.#lent = [];
    this.#idle.push(...lent.filter(isUsable));
    await Promise.all(lent.filter((store) => !isUsable(store)).map((store) => store.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#idle, ...this.#lent].map((store) => store.close()));
  }
}

/** Servers that hold one data set. */
interface World {
  readonly url: string;
  stop(): Promise<void>;
}

/** The contract of a store, on servers that start before the tests of a describe and stop after them. */
export function describeContractOn<Servers extends World>(
  start: () => Promise<Servers>,
  flush: (world: Servers) => Promise<unknown>,
): { readonly world: Servers } {
  let world: Servers;
  let stores: StorePool;
  before(async () => {
    world = await start();
    stores = new StorePool(world.url);
  });
  after(async () => {
    await stores?.close();
    await world?.stop();
  });

  describeStoreContract('RedisStore', async () => {
    await flush(world);
    return {
      open: () => stores.open(),
      pass: (ms) => elapse(ms, 'the lifetimes of entries pass'),
      dispose: () => stores.takeBack(),
    };
  });
  return {
    get world() {
      return world;
    },
  };
}
