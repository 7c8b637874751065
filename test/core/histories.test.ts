// Random histories: the rules keep their promises, and the checker finds planted violations.

import { expect } from 'chai';
import { violations, type Weather } from '../support/history.js';
import { searchHistories } from '../support/random-histories.js';
import { cases } from '../support/soak.js';

const WORLDS: Readonly<Record<string, Weather>> = {
  'in fair weather': {},
  'with a node whose idea of the time is 4.9 s behind': { lagMs: 4_900 },
  'with calls that stall before their write': { stalls: true },
  'with a store that is emptied': { flushes: true },
  'with a store that is emptied, stalls and a slow node': { flushes: true, stalls: true, lagMs: 1_000 },
  'with a store that goes away and comes back': { outages: true },
  'with a store that goes back in time': { setbacks: true },
  'with a store that goes back in time, and calls that stall': { setbacks: true, stalls: true },
  'with REFRESH_TTL lowered and raised': { refreshDays: [1, 7, 14] },
};

/** How many histories a world gets; HISTORIES sets another number. */
const RUNS = cases('HISTORIES', { short: 100, soak: 10_000 });
const LENGTH = { least: 100, most: 500 };

const check = (weather: Weather, runs: number, endOnFailure = false) =>
  searchHistories((choices) => violations(choices, weather), { length: LENGTH, runs, endOnFailure });

describe('the rules under random histories of two nodes', function () {
  this.timeout(600_000);

  for (const [name, weather] of Object.entries(WORLDS)) {
    it(`keep their promises ${name}`, async () => {
      const { failed, counterexample, seed } = await check(weather, RUNS);
      const found = failed && counterexample ? await violations(counterexample[0], weather) : [];
      expect(found, `seed ${seed}`).to.deep.equal([]);
    });
  }

  const bugs: Readonly<Record<string, Weather>> = {
    'a swap ignores what it expects': { ignoreExpected: true },
    'the store goes back and no node remembers': { setbacks: true, forgetful: true },
  };
  for (const [name, weather] of Object.entries(bugs)) {
    it(`break them where ${name}: the checker is awake`, async () => {
      const { failed } = await check(weather, 2_000, true);
      expect(failed).to.equal(true);
    });
  }
});
