// Tests of when a key may be deleted, and how long its public half may be cached.

import { expect } from 'chai';
import { keySetMaxAgeS, type NewestFirst, retirableMs, type ScheduledKey } from '../../src/core/key-schedule.js';
import { DAY, MINUTE, SECOND } from '../support/world.js';

const NOW = 100 * DAY;
const TIMES = { delayMs: MINUTE, refreshTtlMs: 7 * DAY, graceMs: 10 * SECOND };
/** What is waited for beside the refresh token's life: the delay of a late node, the window and its longest pause. */
const REST = 2 * MINUTE + 10 * SECOND + 10 * SECOND + 10 * MINUTE;

const key = (kid: string, sinceMs: number): ScheduledKey => ({ kid, sinceMs, readyMs: sinceMs + TIMES.delayMs });
const of = (...keys: readonly [ScheduledKey, ...ScheduledKey[]]): NewestFirst<ScheduledKey> => keys;

describe('a key may be retired', () => {
  const [oldest, old, newest] = [key('oldest', 10 * DAY), key('old', 95 * DAY), key('newest', 99 * DAY)];
  const keys = of(newest, old, oldest);
  const from = (one: ScheduledKey, among = keys, activeKid?: string, nowMs = NOW): number | undefined =>
    retirableMs(one, among, { activeKid, nowMs, times: TIMES });

  it('once its last refresh token is over, counted from when the next one took its place', () => {
    expect(from(oldest)).to.equal(95 * DAY + 7 * DAY + REST);
    expect(from(old)).to.equal(99 * DAY + 7 * DAY + REST);
  });

  it('never while it signs, alone or as the newest', () => {
    expect(from(newest)).to.equal(undefined);
    expect(from(oldest, of(oldest))).to.equal(undefined);
  });

  it('not while the one that will take its place still waits, nor that one', () => {
    const young = key('young', NOW - MINUTE / 2);
    expect(from(old, of(young, old))).to.equal(undefined);
    expect(from(young, of(young, old))).to.equal(undefined);
    expect(from(old, of(young, old), undefined, NOW + MINUTE)).to.equal(young.sinceMs + 7 * DAY + REST);
  });

  it('counted anew where the one between has gone, so that it signed again', () => {
    expect(from(oldest, of(newest, oldest))).to.equal(99 * DAY + 7 * DAY + REST);
  });

  it('not if another is named that is older: when it has signed is not known', () => {
    expect(from(newest, keys, 'old')).to.equal(undefined);
    expect(from(old, keys, 'old')).to.equal(undefined);
    expect(from(oldest, keys, 'old')).to.equal(95 * DAY + 7 * DAY + REST);
    expect(from(newest, keys, 'oldest')).to.equal(undefined);
  });
});

describe('the public keys', () => {
  it('may be kept for half of the delay and five minutes at most, so that a new key is known before it signs', () => {
    expect(keySetMaxAgeS(MINUTE)).to.equal(30);
    expect(keySetMaxAgeS(3 * SECOND)).to.equal(1);
    expect(keySetMaxAgeS(0)).to.equal(0);
    expect(keySetMaxAgeS(DAY)).to.equal(300);
  });
});
