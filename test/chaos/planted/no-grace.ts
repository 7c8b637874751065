// A planted bug, loaded before a node: a clock of the store that makes the window of a retry end at once.

import { RedisStore } from '../../../src/adapters/redis/redis-store.js';

RedisStore.prototype.reachedMsSince = () => 3_600_000;
