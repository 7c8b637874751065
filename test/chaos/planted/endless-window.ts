// A planted bug, loaded before a node: the window of a retry opens anew with each call.

import { RedisStore } from '../../../src/adapters/redis/redis-store.js';

RedisStore.prototype.reachedMsSince = () => 0;
