// The rate of calls of a closed loop, and what they cost the caller and the service.

import { quantile } from '../figures.js';
import { cpuMsOf, ownCpuMs } from '../machine/usage.js';
import type { Subject } from './subject.js';

/** Calls of a row, and how many are made before: code and caches of both sides are warm then. */
const WARM_CALLS = 30_000;
const CALLS = 60_000;

/** Callers of a closed loop, until so many calls were made. @returns how long each took, ms */
export async function closedLoop(
  callers: number,
  calls: number,
  call: (caller: number) => Promise<void>,
): Promise<number[]> {
  const tookMs: number[] = [];
  let left = calls;
  const caller = async (which: number): Promise<void> => {
    while (left-- > 0) {
      const startMs = performance.now();
      await call(which);
      tookMs.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, which) => caller(which)));
  return tookMs;
}

export interface Rate {
  readonly perS: number;
  /** How many a core of the caller's process makes in a second of processor time: others on the machine do not count. */
  readonly perCoreS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the service, µs a call. */
  readonly serveUs: number;
}

/** How many calls are made before those that count, and how many count. */
export interface Calls {
  readonly warm: number;
  readonly counted: number;
}

export const USUAL_CALLS: Calls = { warm: WARM_CALLS, counted: CALLS };

/** @param run makes the calls, the first ones to warm up */
export async function rateOf(
  subject: Subject,
  run: (calls: number) => Promise<number[]>,
  { warm, counted }: Calls = USUAL_CALLS,
): Promise<Rate> {
  await run(warm);
  const startMs = performance.now();
  const [before, own] = [cpuMsOf(subject.service.pid), ownCpuMs()];
  const tookMs = (await run(counted)).sort((a, b) => a - b);
  const ms = performance.now() - startMs;
  const [serveMs, ownMs] = [cpuMsOf(subject.service.pid) - before, ownCpuMs() - own];
  return {
    perCoreS: (tookMs.length / ownMs) * 1000,
    perS: (tookMs.length / ms) * 1000,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    serveUs: (serveMs * 1000) / tookMs.length,
  };
}
