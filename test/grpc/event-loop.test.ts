// Owns the proof that calls are refused when the event loop has too much to do, and only then: in a loop in numbers.

import { expect } from 'chai';
import { Shedding } from '../../src/grpc/shedding.js';

const AT_ONCE = 256;
// What calls cost of the loop's time, ms, about as they were measured; and how many turns an answer takes.
const [ANSWERED_MS, REFUSED_MS, TURN_MS, TURNS] = [0.2, 0.05, 0.2, 4];

interface Call {
  readonly atMs: number;
  /** How many turns have worked for it, and when the next can: half way it waits for the store. */
  turns: number;
  readyMs: number;
}

/** What became of calls: how long the answers took, and when others were refused, ms. */
interface Outcome {
  readonly answersMs: readonly number[];
  readonly refusedAtMs: readonly number[];
}

/** @param comeMs when calls come, in order */
function run(comeMs: readonly number[], shedding: Shedding | undefined, storeMs = 0): Outcome {
  const answersMs: number[] = [];
  const refusedAtMs: number[] = [];
  let open: Call[] = [];
  let [nowMs, idleMs, come] = [0, 0, 0];
  while (come < comeMs.length || open.length > 0) {
    const nextMs = open.reduce(
      (least, { readyMs }) => Math.min(least, readyMs),
      comeMs[come] ?? Number.POSITIVE_INFINITY,
    );
    idleMs += Math.max(0, nextMs - nowMs);
    nowMs = Math.max(nowMs, nextMs);
    const begunMs = nowMs;
    nowMs += TURN_MS;
    const underWay = open.length;
    for (let turn = false; (comeMs[come] ?? Number.POSITIVE_INFINITY) <= begunMs; come++) {
      if (!turn) shedding?.beginTurn(underWay, idleMs);
      turn = true;
      if (shedding?.takes(false) ?? true) {
        open.push({ atMs: comeMs[come] ?? 0, turns: 0, readyMs: begunMs });
      } else {
        nowMs += REFUSED_MS;
        refusedAtMs.push(begunMs);
      }
    }
    for (const call of open) {
      if (call.readyMs > begunMs) continue;
      nowMs += ANSWERED_MS / TURNS;
      call.turns++;
      call.readyMs = nowMs + (call.turns === TURNS / 2 ? storeMs : 0);
      if (call.turns === TURNS) answersMs.push(nowMs - call.atMs);
    }
    open = open.filter(({ turns }) => turns < TURNS);
  }
  return { answersMs: answersMs.sort((a, b) => a - b), refusedAtMs };
}

/** Calls that come in groups, for a while. */
function groups(size: number, everyMs: number, forMs: number, fromMs = 0): number[] {
  const count = Math.floor(forMs / everyMs) * size;
  return Array.from({ length: count }, (_, n) => fromMs + Math.floor(n / size) * everyMs);
}

/** Calls that come evenly, as a share of what the loop could serve if it did nothing but answer. */
const evenly = (load: number, forMs: number): number[] => groups(1, ANSWERED_MS / load, forMs);

const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;

describe('an event loop in numbers', () => {
  it('drowns at twice the load that it can serve', () => {
    expect(p99(run(evenly(2, 3_000), undefined).answersMs)).to.be.greaterThan(1_000);
  });

  for (const storeMs of [0, 20]) {
    it(`that sheds answers in time what it takes, half of what it could serve, with a store ${storeMs} ms away`, () => {
      const { answersMs } = run(evenly(2, 20_000), new Shedding(AT_ONCE), storeMs);
      expect(p99(answersMs)).to.be.lessThan(12 + storeMs);
      expect(answersMs.length).to.be.greaterThan((0.45 * 20_000) / ANSWERED_MS);
    });
  }

  it('that sheds refuses nothing at four fifths of what it can serve', () => {
    expect(run(evenly(0.8, 10_000), new Shedding(AT_ONCE))).to.deep.equal(run(evenly(0.8, 10_000), undefined));
  });

  for (const [storeMs, size, everyMs] of [
    [20, 5, 10],
    [20, 10, 10],
    [50, 10, 20],
    [100, 20, 50],
    [200, 30, 100],
    [200, 100, 200],
    [0.3, 200, 1_000],
    [0.3, 32, 10],
    [5, 64, 20],
  ] as const) {
    it(`that sheds refuses none of ${size} calls each ${everyMs} ms, with a store ${storeMs} ms away`, () => {
      const { refusedAtMs } = run(groups(size, everyMs, 10_000), new Shedding(AT_ONCE), storeMs);
      expect(refusedAtMs).to.deep.equal([]);
    });
  }

  it('that sheds takes groups again at once when an overload is over, also if the store is slow', () => {
    const comeMs = [...evenly(2, 3_000), ...groups(20, 20, 3_000, 3_000)];
    const { refusedAtMs } = run(comeMs, new Shedding(AT_ONCE), 50);
    expect(refusedAtMs.length).to.be.greaterThan(1_000);
    expect(refusedAtMs.filter((atMs) => atMs > 3_250)).to.deep.equal([]);
  });
});
