// An event loop in numbers: what the rules of overload do to loads that no machine disturbs.

import { expect } from 'chai';
import { WaitQueue } from '../../src/grpc/admission/wait-queue.js';

const MAX_CALLS = 256;
const MAX_WAITING = 4_096;
/** What each turn and each refusal costs, ms, about as measured. */
const [TURN_MS, REFUSED_MS] = [0.1, 0.04];
/** What an answer costs, ms: to ValidateToken, to RefreshToken, and about the most that 256 calls under way fit. */
const [CHEAP_MS, REFRESH_MS, DEAR_MS] = [0.13, 0.35, 0.6];
const LOOK_MS = 20;
/** From this time on an overload counts as one, ms; a second of it is for the calls that waited until then. */
const LASTING_MS = 3_500;

interface Call {
  readonly atMs: number;
  /** Half way it waits for the store. */
  half: boolean;
  readyMs: number;
}

/** Calls that are answered, with how long it took, and when others were refused, ms. */
interface Outcome {
  readonly answers: readonly { readonly atMs: number; readonly tookMs: number }[];
  readonly refusedAtMs: readonly number[];
}

type Span = readonly [fromMs: number, toMs: number];

interface Service {
  readonly costMs: number;
  readonly storeMs?: number;
  /** When the process is stopped. */
  readonly pause?: Span;
  /** When the store is stopped. */
  readonly storePause?: Span;
}

/**
 * @param comeMs when calls come, in order
 * @param loopMs until when each answer brings the next call
 */
function run(comeMs: readonly number[], service: Service, loopMs = 0): Outcome {
  const { costMs, storeMs = 0, pause, storePause } = service;
  const queue = new WaitQueue<Call>(MAX_WAITING);
  const come = [...comeMs];
  const answers: { atMs: number; tookMs: number }[] = [];
  const refusedAtMs: number[] = [];
  let open: Call[] = [];
  let [nowMs, next] = [0, 0];
  const refuse = (calls: readonly Call[]): void => {
    for (const _ of calls) {
      nowMs += REFUSED_MS;
      refusedAtMs.push(nowMs);
    }
  };
  const answeredByStore = (askedMs: number): number =>
    storePause && askedMs >= storePause[0] && askedMs < storePause[1] ? storePause[1] : askedMs + storeMs;
  while (next < come.length || open.length > 0 || queue.length > 0) {
    const look = queue.length > 0 ? nowMs + LOOK_MS : Number.POSITIVE_INFINITY;
    const readyMs = open.reduce((least, call) => Math.min(least, call.readyMs), look);
    nowMs = Math.max(nowMs, Math.min(readyMs, come[next] ?? Number.POSITIVE_INFINITY));
    if (pause && nowMs >= pause[0] && nowMs < pause[1]) nowMs = pause[1];
    const turnMs = nowMs;
    nowMs += TURN_MS;
    for (; (come[next] ?? Number.POSITIVE_INFINITY) <= turnMs; next++) {
      const call = { atMs: come[next] ?? 0, half: false, readyMs: turnMs };
      if (queue.length === 0 && open.length < MAX_CALLS) open.push(call);
      else if (!queue.push(call, nowMs)) refuse([call]);
    }
    const left: Call[] = [];
    for (const call of open) {
      if (call.readyMs > turnMs) {
        left.push(call);
        continue;
      }
      nowMs += costMs / 2;
      if (!call.half) left.push({ ...call, half: true, readyMs: answeredByStore(nowMs) });
      else {
        answers.push({ atMs: call.atMs, tookMs: nowMs - call.atMs });
        if (nowMs < loopMs) come.push(nowMs);
      }
    }
    open = [...left, ...queue.take(MAX_CALLS - left.length).map((call) => ({ ...call, readyMs: nowMs }))];
    refuse(queue.expire(nowMs));
  }
  return { answers, refusedAtMs };
}

/** Calls that come in groups, for a while. */
function groups(size: number, everyMs: number, forMs: number, fromMs = 0): number[] {
  const count = Math.floor(forMs / everyMs) * size;
  return Array.from({ length: count }, (_, n) => fromMs + Math.floor(n / size) * everyMs);
}

/** Calls that come evenly, as a share of what the loop could serve if it did nothing but answer. */
const evenly = (load: number, costMs: number, forMs: number): number[] => groups(1, costMs / load, forMs);

const p99 = (answers: Outcome['answers'], fromMs: number): number => {
  const took = answers.flatMap(({ atMs, tookMs }) => (atMs >= fromMs ? [tookMs] : [])).sort((a, b) => a - b);
  return took[Math.floor(took.length * 0.99)] ?? Number.NaN;
};

/** The share of what the loop could serve that it did serve. */
const goodput = ({ answers }: Outcome, costMs: number, forMs: number): number =>
  (answers.filter(({ atMs, tookMs }) => atMs + tookMs <= forMs).length * costMs) / forMs;

describe('the rules of overload', () => {
  for (const [name, costMs, least] of [
    ['ValidateToken', CHEAP_MS, 0.5],
    ['RefreshToken', REFRESH_MS, 0.8],
    ['calls of 0.6 ms', DEAR_MS, 0.85],
  ] as const) {
    it(`serve most of what they can at twice the load, and in time once it lasts: ${name}`, () => {
      const outcome = run(evenly(2, costMs, 10_000), { costMs });
      expect(goodput(outcome, costMs, 10_000)).to.be.greaterThan(least);
      expect(p99(outcome.answers, LASTING_MS)).to.be.lessThan(250);
    });
  }

  it(`refuse none in a closed loop of ${MAX_CALLS} calls, however dear they are`, () => {
    for (const costMs of [CHEAP_MS, REFRESH_MS, DEAR_MS, 5]) {
      const outcome = run(groups(MAX_CALLS, 1, 1), { costMs }, 10_000);
      expect(outcome.refusedAtMs.length).to.equal(0);
      expect(goodput(outcome, costMs, 10_000)).to.be.greaterThan(0.95);
    }
  });

  it('refuse nothing at nine tenths of what can be served', () => {
    for (const costMs of [CHEAP_MS, REFRESH_MS, DEAR_MS]) {
      expect(run(evenly(0.9, costMs, 10_000), { costMs }).refusedAtMs.length).to.equal(0);
    }
  });

  for (const [storeMs, size, everyMs] of [
    [20, 5, 10],
    [50, 10, 20],
    [200, 100, 200],
    [1_000, 200, 1_000],
    [0.3, 1_000, 1_000],
    [0.3, 64, 10],
  ] as const) {
    it(`refuse none of ${size} calls each ${everyMs} ms, with a store ${storeMs} ms away`, () => {
      const { refusedAtMs } = run(groups(size, everyMs, 10_000), { costMs: CHEAP_MS, storeMs });
      expect(refusedAtMs.length).to.equal(0);
    });
  }

  for (const paused of ['pause', 'storePause'] as const) {
    it(`refuse none for a ${paused === 'pause' ? 'pause of a second' : "store's pause of a second"}, at half of the load`, () => {
      for (const costMs of [CHEAP_MS, REFRESH_MS, DEAR_MS]) {
        const service = { costMs, storeMs: 0.3, [paused]: [2_000, 3_000] };
        expect(run(evenly(0.45, costMs, 6_000), service).refusedAtMs.length).to.equal(0);
      }
    });
  }

  it('serve groups again at once when an overload is over', () => {
    const comeMs = [...evenly(2, DEAR_MS, 5_000), ...groups(1_000, 2_000, 6_000, 5_500)];
    const { refusedAtMs } = run(comeMs, { costMs: DEAR_MS });
    expect(refusedAtMs.length).to.be.greaterThan(100);
    expect(refusedAtMs.filter((atMs) => atMs > 5_500).length).to.equal(0);
  });
});
