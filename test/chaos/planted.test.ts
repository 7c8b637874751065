// Tests that the history checker finds bugs that need no failover.

import { itFinds, type Search } from './planted-search.js';
import { chaosOptions } from './settings.js';

/** The first second usually shows the bug; beside other work it may take several. No run is made after that. */
const ALONE: Search = { seconds: 1, runs: 30, store: 'redis', clients: 8 };

describe('two nodes on one store, under chaos', () => {
  const { seed } = chaosOptions(process.env);
  for (const bug of [
    { name: 'a swap that ignores its expectation', bug: 'blind-swaps', rules: ['a', 'b'], search: ALONE },
    { name: 'a read that is answered from a cache', bug: 'stale-reads', rules: ['b'], search: ALONE },
    { name: 'a window that ends at once', bug: 'no-grace', rules: ['d'], search: ALONE },
  ] as const) {
    itFinds(bug, seed);
  }
});
