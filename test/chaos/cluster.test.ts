// Tests that two nodes keep their promises while a Redis Cluster fails over and moves slots.

import { itKeepsEveryPromise } from './kept.js';

describe('two nodes on a Redis Cluster, under chaos', () => {
  itKeepsEveryPromise('cluster', [
    'primary killed',
    'primary paused, and woken after the failover',
    'slots migrated',
    'failover while acknowledgements wait',
    'failed over and back',
    'scaled out to a fresh node, and back',
    'migrations cancelled',
  ]);
});
