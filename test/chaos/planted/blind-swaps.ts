// A planted bug, loaded before a node: swaps that ignore what they expect, and write over whatever stands.

import { RedisStore } from '../../../src/adapters/redis/redis-store.js';

const { compareAndSet } = RedisStore.prototype;

RedisStore.prototype.compareAndSet = async function (key, _expected, ...rest) {
  const [standing] = await this.read([key]);
  return compareAndSet.call(this, key, standing, ...rest);
};
