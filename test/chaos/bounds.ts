// Rule (e) of the checker: calls end within their bound, and the service serves again after a fault. Pure.

import { CALL_BOUND_MS, isMute, quietCalls, undisturbedCalls } from './quiet.js';
import type { CallRecord, History, Span, Violation } from './record.js';

/** What a call may take beyond its deadline or bound: two busy processes on two cores. */
export const CALL_SLACK_MS = 1_000;
/** The time from the end of a fault within which both nodes must say that they serve, ms. */
export const RECOVERY_BOUND_MS = 5_000;

/** By how much the store's time, as a node knows it, may be behind: a slow answer of Redis. */
export const CLOCK_LAG_MS = 1_000;
/** What a second's fraction and the harness's own clock may be off. */
export const CLOCK_ERROR_MS = 100;

/** The violations of rule (e). */
export const boundsOf = (history: History): Violation[] => [
  ...history.calls.flatMap((call) => bound(call, history)),
  ...recovery(history),
  ...silence(history),
];

/** (e) */
function bound(call: CallRecord, { stalls }: History): Violation[] {
  const { deadlineMs, sid } = call;
  const mostMs = Math.min(deadlineMs, CALL_BOUND_MS) + CALL_SLACK_MS;
  if (call.toMs - call.fromMs <= mostMs) return [];
  const tookMs = Math.round(lengthOf(call, stalls));
  if (tookMs <= mostMs) return [];
  return [{ rule: 'e', sid, what: `took ${tookMs} ms, with a deadline of ${deadlineMs}`, calls: [call] }];
}

/** (e) */
function recovery({ faults, stalls }: History): Violation[] {
  return faults.flatMap(({ kind, fromMs, toMs, recoveredAfterMs = Number.POSITIVE_INFINITY }): Violation[] => {
    const tookMs = Math.round(lengthOf({ fromMs: toMs, toMs: toMs + recoveredAfterMs }, stalls));
    if (tookMs <= RECOVERY_BOUND_MS) return [];
    const when = `${Math.round(fromMs)} to ${Math.round(toMs)}`;
    return [
      { rule: 'e', what: `both nodes served again ${tookMs} ms after the end of "${kind}" (${when})`, calls: [] },
    ];
  });
}

/** (e) A node that says that it serves answers calls. */
function silence(history: History): Violation[] {
  const groups = [
    [quietCalls(history), 'nothing was wrong'],
    [undisturbedCalls(history), 'slots only moved'],
  ] as const;
  return groups.flatMap(([quiet, when]): Violation[] => {
    if (!isMute(quiet)) return [];
    const what = `${quiet.unanswered} of ${quiet.calls} calls had no answer though ${when}`;
    return [{ rule: 'e', what, calls: [] }];
  });
}

/** The length of a span without its stalls, which may overlap. */
export function lengthOf({ fromMs, toMs }: Span, stalls: readonly Span[]): number {
  let lengthMs = 0;
  let atMs = fromMs;
  for (const stall of stalls.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (stall.fromMs > toMs) break;
    lengthMs += Math.max(0, stall.fromMs - atMs);
    atMs = Math.max(atMs, stall.toMs);
  }
  return lengthMs + Math.max(0, toMs - atMs);
}
