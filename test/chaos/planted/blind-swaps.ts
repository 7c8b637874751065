// A planted bug, loaded before a node: swaps ignore the expected value, and overwrite the present one.

import { RedisStore } from '../../../src/adapters/redis/redis-store.js';

const { compareAndSet } = RedisStore.prototype;

RedisStore.prototype.compareAndSet = async function (key, _expected, ...rest) {
  const [standing] = await this.read([key]);
  return compareAndSet.call(this, key, standing, ...rest);
};
