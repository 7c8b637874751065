// Tests that validators keep their promises while the service fails, and they themselves are disturbed.

import { expect } from 'chai';
import { expectKept, FEW_CLIENTS, textOf } from './kept.js';
import { AROUND_MS } from './planted-search.js';
import type { Outcome } from './record.js';
import { chaosOptions } from './settings.js';
import { VALIDATORS } from './validators.js';

/** CHAOS_SECONDS makes it longer. */
const SHORT_S = 7;
/** Of the clients, on a machine however slow: the validators make some while they do. */
const LEAST_CALLS = 200;

describe('validators of two nodes, under chaos', () => {
  const options = chaosOptions({ ...process.env, CHAOS_SECONDS: process.env['CHAOS_SECONDS'] || `${SHORT_S}` });

  it('keep every promise while the service fails, and they are paused, cut off, and their clocks set', async function () {
    this.timeout(options.seconds * 1_000 + AROUND_MS);
    const result = await expectKept({ ...options, clients: FEW_CLIENTS, leastCalls: LEAST_CALLS });
    process.stdout.write(`${textOf(options, result).replace(/^/gm, '      ')}\n`);
    // It must have been a run that could have shown something.
    const { validations } = result.history;
    const count = (is: Outcome['is']): number => validations.filter(({ outcome }) => outcome.is === is).length;
    for (const is of ['active', 'refused', 'unknown'] as const) expect(count(is), is).to.be.above(10);
    for (const name of VALIDATORS) {
      const own = validations.filter(({ validator }) => validator === name);
      expect(own.length, name).to.be.above(options.seconds);
    }
  });
});
