// Owns the proof of which calls are taken when too many come, in turns of the event loop that are made up.

import { expect } from 'chai';
import { Shedding } from '../../src/grpc/shedding.js';

const AT_ONCE = 256;
/** What a turn takes under overload, how much of it is kept, and what more there is for calls that end a session. */
const [SHARE, KEPT, ENDING] = [4, 16, 8];

/** Offers calls in one turn. @returns how many are taken */
function offer(shedding: Shedding, calls: number, nowMs: number, { underWay = 0, ends = false } = {}): number {
  shedding.beginTurn(underWay, nowMs);
  return Array.from({ length: calls }, () => shedding.takes(ends, nowMs)).filter((taken) => taken).length;
}

/** Uses up what is kept for bursts. @returns the moment of the first refusal, ms */
function exhaust(shedding: Shedding): number {
  for (let nowMs = 0; ; nowMs += 5) if (offer(shedding, 50, nowMs, { underWay: 20 }) < 50) return nowMs;
}

describe('shedding', () => {
  it('takes a burst whole, and no more at once than may be under way', () => {
    expect(offer(new Shedding(AT_ONCE), AT_ONCE, 0)).to.equal(AT_ONCE);
    expect(offer(new Shedding(AT_ONCE), AT_ONCE + 1, 0)).to.equal(AT_ONCE);
  });

  it('refuses nothing of crowds that come and go', () => {
    const shedding = new Shedding(AT_ONCE);
    const turns = Array.from({ length: 10_000 }, (_, turn) => (turn % 20 === 0 ? 100 : SHARE));
    expect(turns.filter((calls, turn) => offer(shedding, calls, turn, { underWay: 24 }) < calls)).to.deep.equal([]);
  });

  it('takes a share of each turn from a crowd that stays', () => {
    const shedding = new Shedding(AT_ONCE);
    const sinceMs = exhaust(shedding);
    const turns = Array.from({ length: 1_000 }, (_, turn) => sinceMs + 5 * (turn + 1));
    const taken = turns.map((nowMs) => offer(shedding, 20, nowMs, { underWay: 24 }));
    expect(new Set(taken)).to.deep.equal(new Set([SHARE]));
  });

  it('keeps for the next turns what some have not used, and not more', () => {
    const shedding = new Shedding(AT_ONCE);
    const sinceMs = exhaust(shedding);
    offer(shedding, 1, sinceMs + 5, { underWay: 24 });
    expect(offer(shedding, 100, sinceMs + 10, { underWay: 24 })).to.equal(2 * SHARE - 1);
    for (let turn = 3; turn < 100; turn++) offer(shedding, 0, sinceMs + 5 * turn, { underWay: 24 });
    expect(offer(shedding, 100, sinceMs + 500, { underWay: 24 })).to.equal(KEPT);
  });

  it('takes a burst again after a second without a refusal, not sooner, even if turns are quiet by chance', () => {
    for (const [quietMs, taken] of [
      [999, 2 * SHARE - 1],
      [1_000, 100],
    ] as const) {
      const shedding = new Shedding(AT_ONCE);
      const refusedMs = exhaust(shedding);
      offer(shedding, 1, refusedMs + 1);
      expect(offer(shedding, 100, refusedMs + quietMs)).to.equal(taken);
    }
  });

  it('takes a burst again after a calm without any turn at all', () => {
    const shedding = new Shedding(AT_ONCE);
    expect(offer(shedding, 100, exhaust(shedding) + 60_000)).to.equal(100);
  });

  it('does not refuse because the store is slow, until as many wait for it as may be under way', () => {
    const shedding = new Shedding(AT_ONCE);
    expect(offer(shedding, SHARE, 0, { underWay: AT_ONCE - SHARE })).to.equal(SHARE);
    expect(offer(shedding, SHARE, 5, { underWay: AT_ONCE - 1 })).to.equal(1);
    expect(offer(shedding, SHARE, 10, { underWay: AT_ONCE })).to.equal(0);
  });

  it('refuses calls last that end a session, and others for it in the turns to come', () => {
    const shedding = new Shedding(AT_ONCE);
    const nowMs = exhaust(shedding) + 5;
    expect(offer(shedding, 100, nowMs, { underWay: 24 })).to.equal(SHARE);
    expect(shedding.takes(true, nowMs)).to.equal(true);
    const flood = Array.from({ length: 100 }, () => offer(shedding, 100, nowMs, { underWay: 24, ends: true }));
    expect(flood.slice(0, 3)).to.deep.equal([SHARE + ENDING - 1, SHARE, SHARE]);
    expect(offer(shedding, 100, nowMs, { underWay: 24 })).to.equal(0);
    expect(offer(new Shedding(AT_ONCE), 1, 0, { underWay: AT_ONCE, ends: true })).to.equal(1);
  });
});

describe('an event loop in numbers', () => {
  // What calls cost of its time, ms, about as they were measured; and how many turns an answer takes.
  const [ANSWERED_MS, REFUSED_MS, TURN_MS, TURNS] = [0.2, 0.05, 0.2, 4];

  /** Runs turns with evenly spaced calls for a while. @returns how long answers took, ms, without the first second */
  function run(load: number, shedding: Shedding | undefined): number[] {
    const callsPerMs = load / ANSWERED_MS;
    const answersMs: number[] = [];
    let open: number[][] = [];
    let [nowMs, untilMs] = [0, 0];
    for (let made = 0; nowMs < 10_000; untilMs = nowMs) {
      const begunMs = nowMs;
      const come: number[] = [];
      for (; made / callsPerMs <= untilMs; made++) come.push(made / callsPerMs);
      shedding?.beginTurn(open.flat().length, begunMs);
      const taken = come.filter(() => shedding?.takes(false, begunMs) ?? true);
      nowMs += TURN_MS + taken.length * ANSWERED_MS + (come.length - taken.length) * REFUSED_MS;
      open = [taken, ...open];
      for (const atMs of open[TURNS - 1] ?? []) if (atMs > 1_000) answersMs.push(nowMs - atMs);
      open = open.slice(0, TURNS - 1);
    }
    return answersMs.sort((a, b) => a - b);
  }
  const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;

  it('drowns at twice the load that it can serve', () => {
    expect(p99(run(2, undefined))).to.be.greaterThan(1_000);
  });

  it('that sheds answers in time what it takes, half of what it could serve without the refusals', () => {
    const answersMs = run(2, new Shedding(AT_ONCE));
    expect(p99(answersMs)).to.be.lessThan(12);
    expect(answersMs.length).to.be.greaterThan((0.45 * 9_000) / ANSWERED_MS);
  });

  it('that sheds refuses nothing at four fifths of it', () => {
    expect(run(0.8, new Shedding(AT_ONCE))).to.deep.equal(run(0.8, undefined));
  });
});
