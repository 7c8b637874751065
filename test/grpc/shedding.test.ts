// Owns the proof of which calls are taken when too many come, in turns of the event loop that are made up.

import { expect } from 'chai';
import { Shedding } from '../../src/grpc/shedding.js';

const AT_ONCE = 256;
/** What a turn takes under overload, how much of it is kept, and what more there is for calls that end a session. */
const [SHARE, KEPT, ENDING] = [4, 16, 8];
/** What the loop gives back of the allowance in each millisecond in which it has nothing to do. */
const AN_IDLE_MS = 16;

/** Offers calls in one turn. @returns how many are taken */
function offer(shedding: Shedding, calls: number, idleMs: number, { underWay = 0, ends = false } = {}): number {
  shedding.beginTurn(underWay, idleMs);
  return Array.from({ length: calls }, () => shedding.takes(ends)).filter((taken) => taken).length;
}

/** Uses up what is kept for bursts, in a loop that does not rest. */
function exhaust(shedding: Shedding): void {
  while (offer(shedding, 50, 0, { underWay: 20 }) === 50);
}

describe('shedding', () => {
  it('takes a burst whole, and no more at once than may be under way', () => {
    expect(offer(new Shedding(AT_ONCE), AT_ONCE, 0)).to.equal(AT_ONCE);
    expect(offer(new Shedding(AT_ONCE), AT_ONCE + 1, 0)).to.equal(AT_ONCE);
  });

  it('takes a share of each turn from a crowd that stays', () => {
    const shedding = new Shedding(AT_ONCE);
    exhaust(shedding);
    const taken = Array.from({ length: 1_000 }, () => offer(shedding, 20, 0, { underWay: 24 }));
    expect(new Set(taken)).to.deep.equal(new Set([SHARE]));
  });

  it('keeps for the next turns what some have not used, and not more', () => {
    const shedding = new Shedding(AT_ONCE);
    exhaust(shedding);
    offer(shedding, 1, 0, { underWay: 24 });
    expect(offer(shedding, 100, 0, { underWay: 24 })).to.equal(2 * SHARE - 1);
    for (let turn = 0; turn < 100; turn++) offer(shedding, 0, 0, { underWay: 24 });
    expect(offer(shedding, 100, 0, { underWay: 24 })).to.equal(KEPT);
  });

  it('takes more as the loop has rested, whoever waits for the store, up to a burst', () => {
    for (const [restedMs, taken] of [
      [0.02, SHARE],
      [0.5, SHARE + AN_IDLE_MS / 2],
      [3, SHARE + 3 * AN_IDLE_MS],
      [60_000, AT_ONCE - 24],
    ] as const) {
      const shedding = new Shedding(AT_ONCE);
      exhaust(shedding);
      expect(offer(shedding, AT_ONCE, restedMs, { underWay: 24 })).to.equal(taken);
    }
  });

  it('counts each rest once, and pieces of it as much as the whole', () => {
    const shedding = new Shedding(AT_ONCE);
    exhaust(shedding);
    for (let turn = 1; turn <= 64; turn++) offer(shedding, SHARE, turn / 64, { underWay: 24 });
    expect(offer(shedding, 100, 1, { underWay: 24 })).to.equal(SHARE + AN_IDLE_MS);
    expect(offer(shedding, 100, 1, { underWay: 24 })).to.equal(SHARE);
  });

  it('does not refuse because the store is slow, until as many wait for it as may be under way', () => {
    const shedding = new Shedding(AT_ONCE);
    expect(offer(shedding, SHARE, 0, { underWay: AT_ONCE - SHARE })).to.equal(SHARE);
    expect(offer(shedding, SHARE, 5, { underWay: AT_ONCE - 1 })).to.equal(1);
    expect(offer(shedding, SHARE, 10, { underWay: AT_ONCE })).to.equal(0);
  });

  it('refuses calls last that end a session, and others for it in the turns to come', () => {
    const shedding = new Shedding(AT_ONCE);
    exhaust(shedding);
    expect(offer(shedding, 100, 0, { underWay: 24 })).to.equal(SHARE);
    expect(shedding.takes(true)).to.equal(true);
    const flood = Array.from({ length: 100 }, () => offer(shedding, 100, 0, { underWay: 24, ends: true }));
    expect(flood.slice(0, 3)).to.deep.equal([SHARE + ENDING - 1, SHARE, SHARE]);
    expect(offer(shedding, 100, 0, { underWay: 24 })).to.equal(0);
    expect(offer(new Shedding(AT_ONCE), 1, 0, { underWay: AT_ONCE, ends: true })).to.equal(1);
  });
});
