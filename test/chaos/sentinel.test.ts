// Tests that two nodes keep their promises while the primary that Sentinels name fails over.

import { itKeepsEveryPromise } from './kept.js';

describe('two nodes on a primary that Sentinels name, under chaos', () => {
  itKeepsEveryPromise('sentinel', [
    'primary killed',
    'primary paused, and woken after the failover',
    'failover while acknowledgements wait',
    'planned failover that a node learns of late',
    'failed over and back',
    'sentinel clocks stepped during a failover',
  ]);
});
