// Tests that two nodes keep their promises while a store without replicas, and they themselves, fail.

import { expect } from 'chai';
import type { Shown } from './chaos.js';
import { countBy, rarerThan } from './counts.js';
import { expectKept, grantedIn, textOf } from './kept.js';
import { AROUND_MS } from './planted-search.js';
import { chaosOptions } from './settings.js';

/** CHAOS_SECONDS makes it longer. */
const SHORT_S = 12;
/** More act in `npm run test:soak`. */
const CLIENTS = 5;
/** Each must have come several times: a run without one of them could not show that its promise is kept. */
const OUTCOMES = [
  ...['granted', 'refused', 'unknown'].map((is) => `refresh ${is}`),
  ...['active', 'refused', 'unknown'].map((is) => `validate ${is}`),
];
const LEAST_OF_EACH = 11;
/** As many as a slow machine makes in the time of the run. */
const LEAST_CALLS = 600;

/** What a run has had too little of so far, by name. */
function tooRareIn({ calls, faults }: Shown, seconds: number): readonly string[] {
  const outcomes = countBy(calls, ({ kind, outcome }) => `${kind} ${outcome.is}`);
  const kinds = countBy(calls, ({ kind }) => kind);
  return [
    ...rarerThan(LEAST_OF_EACH, outcomes, OUTCOMES),
    ...rarerThan(seconds + 1, kinds, ['issue', 'refresh', 'validate', 'logout']),
    ...(faults.length > seconds / 10 ? [] : ['faults']),
    ...(calls.length >= LEAST_CALLS ? [] : ['calls']),
  ];
}

describe('two nodes on one store, under chaos', () => {
  const options = chaosOptions({ ...process.env, CHAOS_SECONDS: process.env['CHAOS_SECONDS'] || `${SHORT_S}` });

  it(`keep every promise for ${options.seconds} s while the store and the nodes fail`, async function () {
    this.timeout(options.seconds * 1_000 + AROUND_MS);
    const { seconds } = options;
    const isEnough = (shown: Shown): boolean => tooRareIn(shown, seconds).length === 0;
    const result = await expectKept({ ...options, validators: false, clients: CLIENTS, isEnough });
    process.stdout.write(`${textOf(options, result).replace(/^/gm, '      ')}\n`);
    expect(tooRareIn(result.history, seconds)).to.deep.equal([]);
  });

  it('on the embedded store keep every promise while they are killed and stopped', async function () {
    this.timeout(AROUND_MS);
    const result = await expectKept({
      ...options,
      store: 'lmdb',
      seconds: 5,
      validators: false,
      clients: CLIENTS,
      isEnough: (shown) => grantedIn(shown) > 50 && shown.calls.length >= LEAST_CALLS / 3,
    });
    expect(grantedIn(result.history)).to.be.above(50);
  });
});
