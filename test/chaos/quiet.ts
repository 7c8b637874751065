// The check that a service answers calls while nothing is wrong, and does not only say that it serves.

import type { CallRecord, FaultRecord, History, Span } from './record.js';
import { isNearStall } from './stalls.js';

/** The longest that any call may take, whatever its deadline, ms. */
export const CALL_BOUND_MS = 4_000;
/** The share of unanswered calls in quiet times is judged from this number of calls on. */
const LEAST_CALLS = 100;
/** The highest share that a busy machine may cause. */
const MOST_UNANSWERED = 0.05;

export interface Quiet {
  readonly calls: number;
  readonly unanswered: number;
}

/** The times in which both nodes had said that they serve, and no fault of these has begun since. */
export function timesWithout(faults: readonly FaultRecord[], { calls }: History): Span[] {
  const troubles = faults.map(({ fromMs, toMs, recoveredAfterMs = Number.POSITIVE_INFINITY }) => ({
    fromMs,
    toMs: toMs + recoveredAfterMs,
  }));
  const endMs = calls.reduce((latest, { toMs }) => Math.max(latest, toMs), 0);
  const quiet: Span[] = [];
  let fromMs = 0;
  for (const trouble of troubles.sort((a, b) => a.fromMs - b.fromMs)) {
    if (trouble.fromMs > fromMs) quiet.push({ fromMs, toMs: trouble.fromMs });
    fromMs = Math.max(fromMs, trouble.toMs);
  }
  return fromMs < endMs ? [...quiet, { fromMs, toMs: endMs }] : quiet;
}

/** The calls of patient clients that began and ended while nothing was wrong, and how many of them had no answer. */
export const quietCalls = (history: History): Quiet => callsIn(timesWithout(history.faults, history), history);

/** The same of the calls while something was done that callers must not notice. */
export const undisturbedCalls = (history: History): Quiet =>
  callsIn(
    history.faults.filter(({ unnoticed }) => unnoticed),
    history,
  );

function callsIn(times: readonly Span[], history: History): Quiet {
  const inside = ({ fromMs, toMs, deadlineMs }: CallRecord): boolean =>
    deadlineMs >= CALL_BOUND_MS && times.some((time) => time.fromMs <= fromMs && toMs <= time.toMs);
  const calls = history.calls.filter((call) => inside(call) && !isNearStall(call, history.stalls));
  return { calls: calls.length, unanswered: calls.filter(({ outcome }) => outcome.is === 'unknown').length };
}

/** Whether more calls had no answer than a busy machine can cause. */
export const isMute = ({ calls, unanswered }: Quiet): boolean =>
  calls >= LEAST_CALLS && unanswered > MOST_UNANSWERED * calls;
