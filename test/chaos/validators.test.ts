// Tests that validators keep their promises while the service fails, and they themselves are disturbed.

import { expect } from 'chai';
import type { Shown } from './chaos.js';
import { countBy, rarerThan } from './counts.js';
import { expectKept, FEW_CLIENTS, textOf } from './kept.js';
import { AROUND_MS } from './planted-search.js';
import { chaosOptions } from './settings.js';
import { VALIDATORS } from './validators.js';

/** CHAOS_SECONDS makes it longer. */
const SHORT_S = 7;
/** Of each outcome: a run without one of them could not show that its promise is kept. */
const LEAST_OF_EACH = 11;
/** Of the clients: the validators make some while they do. */
const LEAST_CALLS = 200;

/** What a run has had too little of so far, by name. */
function tooRareIn({ calls, validations }: Shown, seconds: number): readonly string[] {
  const outcomes = countBy(validations, ({ outcome }) => outcome.is);
  const own = countBy(validations, ({ validator }) => validator);
  return [
    ...rarerThan(LEAST_OF_EACH, outcomes, ['active', 'refused', 'unknown']),
    ...(calls.length >= LEAST_CALLS ? [] : ['calls']),
    ...rarerThan(seconds + 1, own, VALIDATORS),
  ];
}

describe('validators of two nodes, under chaos', () => {
  const options = chaosOptions({ ...process.env, CHAOS_SECONDS: process.env['CHAOS_SECONDS'] || `${SHORT_S}` });

  it('keep every promise while the service fails, and they are paused, cut off, and their clocks set', async function () {
    this.timeout(options.seconds * 1_000 + AROUND_MS);
    const { seconds } = options;
    const isEnough = (shown: Shown): boolean => tooRareIn(shown, seconds).length === 0;
    const result = await expectKept({ ...options, clients: FEW_CLIENTS, isEnough });
    process.stdout.write(`${textOf(options, result).replace(/^/gm, '      ')}\n`);
    expect(tooRareIn(result.history, seconds)).to.deep.equal([]);
  });
});
