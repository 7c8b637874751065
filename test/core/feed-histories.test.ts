// Random histories of the revocation feed: its promises hold, and planted faults break them.

import { expect } from 'chai';
import { type FeedWeather, feedViolations } from '../support/feed-history.js';
import { searchHistories } from '../support/random-histories.js';
import { cases } from '../support/soak.js';
import { MINUTE, SECOND } from '../support/world.js';

const WORLDS: Readonly<Record<string, FeedWeather>> = {
  'in fair weather': {},
  'where streams are cut and nodes restart': { cuts: true, restarts: true },
  'over failovers that lose what was not acknowledged': { failover: [0, 5 * SECOND, -5 * SECOND], cuts: true },
  'over failovers to a clock that is 10 minutes off': {
    ...{ failover: [0, 10 * MINUTE, -10 * MINUTE], cuts: true, long: true },
  },
  'over failovers that lose what was acknowledged': {
    ...{ failover: [0, 5 * SECOND, -5 * SECOND], loses: true, cuts: true, restarts: true },
  },
  'in a store that is wiped': { wipes: true, cuts: true },
  'where logs are deleted by hand': { deletes: 'log', cuts: true },
  'where births are deleted by hand': { deletes: 'born', cuts: true },
  'where the clock of the store is set': {
    clock: [2 * MINUTE, -2 * MINUTE, 20 * MINUTE, -20 * MINUTE],
    cuts: true,
    long: true,
  },
  'beside an older version': { old: true, cuts: true },
  'with another ACCESS_TTL at each node': { ttlMs: 60 * MINUTE, cuts: true, long: true },
  'with outages of the logs': { outages: true, cuts: true },
  'with all of it': {
    ...{ failover: [0, 5 * SECOND, -5 * SECOND], wipes: true, deletes: 'log', cuts: true, restarts: true, long: true },
    ...{ outages: true },
  },
};

const RUNS = cases('FEED_HISTORIES', { short: 10, soak: 5_000 });
const LENGTH = { least: 300, most: 900 };

const check = (weather: FeedWeather, runs: number, endOnFailure = false) =>
  searchHistories((choices) => feedViolations(choices, weather), { length: LENGTH, runs, endOnFailure });

describe('the revocation feed under random histories', function () {
  this.timeout(600_000);

  for (const [name, weather] of Object.entries(WORLDS)) {
    it(`keeps its promises ${name}`, async () => {
      const { failed, counterexample, seed } = await check(weather, RUNS);
      const found = failed && counterexample ? await feedViolations(counterexample[0], weather) : [];
      expect(found, `seed ${seed}`).to.deep.equal([]);
    });
  }

  const planted: Readonly<Record<string, FeedWeather>> = {
    'a pong answers pings that came during the read': { answersLate: true },
    'a position is kept over a failover': { keepsCursor: true, failover: [-5 * SECOND], cuts: true },
    'the first word of a stream counts': { takesFirstWord: true, deletes: 'log', cuts: true },
  };
  const isLong = process.env['SOAK'] !== undefined;
  for (const [name, weather] of Object.entries(planted)) {
    // The others take ten seconds each until a history hits them.
    if (!isLong && !weather.takesFirstWord) continue;
    it(`breaks them where ${name}: the checker is awake`, async () => {
      const { failed } = await check(weather, 3_000, true);
      expect(failed).to.equal(true);
    });
  }
});
