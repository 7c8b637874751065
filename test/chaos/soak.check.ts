// Long runs of chaos: every kind of fault of each store, many times over, at two nodes with many clients.

import { STORES } from './cluster.js';
import { expectKept } from './kept.js';
import { AROUND_MS } from './planted-search.js';
import { chaosOptions } from './settings.js';

/** How long each store has faults; CHAOS_SECONDS sets another time. */
const SOAK_S = 180;

describe('two nodes, under chaos for long', () => {
  const options = chaosOptions({ ...process.env, CHAOS_SECONDS: process.env['CHAOS_SECONDS'] || `${SOAK_S}` });
  for (const store of STORES) {
    it(`keep every promise on ${store} for ${options.seconds} s`, async function () {
      this.timeout(options.seconds * 1_000 + 2 * AROUND_MS);
      await expectKept({ ...options, store });
    });
  }
});
