// The proof of the bound of the store's time: what tokens show, and what no single wrong clock can do.

import { expect } from 'chai';
import type { Moment } from '../../src/validator/freshness.js';
import { StoreTime } from '../../src/validator/store-time.js';

const NOON_S = 1_700_000_000;
const NOON_MS = NOON_S * 1000;
const SLACK_MS = 10_000;
const HOUR_MS = 3_600_000;
const at = (monotonicMs: number, wallMs = NOON_MS + monotonicMs): Moment => ({ monotonicMs, wallMs });

describe('the time that has passed for certain', () => {
  it('is never, as long as no token has been seen: this machine\u2019s clock alone proves nothing', () => {
    expect(new StoreTime().passedMs(at(0))).to.equal(Number.NEGATIVE_INFINITY);
  });

  it('is the issue of the newest token, and the time since then, less what clocks may differ', () => {
    const time = new StoreTime();
    time.observe(NOON_S, at(0));
    expect(time.passedMs(at(0))).to.equal(NOON_MS - SLACK_MS);
    expect(time.passedMs(at(60_000))).to.be.within(NOON_MS + 60_000 - SLACK_MS - 100, NOON_MS + 60_000 - SLACK_MS);
    time.observe(NOON_S + 90, at(90_000));
    expect(time.passedMs(at(90_000))).to.equal(NOON_MS + 90_000 - SLACK_MS);
  });

  it('does not go back with an older token', () => {
    const time = new StoreTime();
    time.observe(NOON_S, at(0));
    time.observe(NOON_S - 240, at(1_000));
    expect(time.passedMs(at(1_000))).to.be.within(NOON_MS + 990 - SLACK_MS, NOON_MS + 1_000 - SLACK_MS);
  });

  it('is not moved by a wall clock that is set ahead, nor by a store whose clock was', () => {
    const time = new StoreTime();
    time.observe(NOON_S, at(0));
    expect(time.passedMs(at(0, NOON_MS + HOUR_MS))).to.equal(NOON_MS - SLACK_MS);
    time.observe(NOON_S + 3_600, at(0));
    expect(time.passedMs(at(0))).to.equal(NOON_MS - SLACK_MS);
  });

  it('stays behind a monotonic clock that is fast, however long no new token comes', () => {
    const time = new StoreTime();
    time.observe(NOON_S, at(0));
    // 500 parts in a million fast, for ten days.
    const trueMs = 10 * 24 * HOUR_MS;
    expect(time.passedMs(at(trueMs * 1.0005, NOON_MS + 2 * trueMs))).to.be.below(NOON_MS + trueMs);
  });
});
