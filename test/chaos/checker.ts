// The judgement on a history of a chaos run: pure; the same history gives the same violations.
//
// A session is active from its login to one moment, its end, and never again. Each answer bounds that moment: if the
// call found the session active, the session ended after the call's start; if the call found it ended, or acknowledged
// an end, it ended before the call's end. A call without an answer may have taken effect at any time of a known span.
// The history is in order if a possible moment is left at which some call or loss can have ended the session.

import { boundsOf, CLOCK_ERROR_MS, CLOCK_LAG_MS } from './bounds.js';
import { bySession, cutOffsIn, type End, endsOf, firstUseMs, type Session, sessionsIn } from './ends.js';
import { CALL_BOUND_MS, timesWithout } from './quiet.js';
import type { CallRecord, History, Span, Violation } from './record.js';
import { lateValidations, validationsOf } from './validations.js';

/** How long after the window's end a used token may still get a pair, ms: the store's time is known from before. */
export const WINDOW_SLACK_MS = 1_500;

const KNOWN_PROBLEMS = ['EXPIRED', 'REVOKED', 'REUSED'];

/** All violations of a history, in the order of the rules. */
export function violationsIn(history: History): Violation[] {
  const sessions = sessionsIn(history);
  const cutOffs = cutOffsIn(history);
  const steady = timesWithout(
    history.faults.filter(({ unnoticed }) => !unnoticed),
    history,
  );
  const validations = bySession(history.validations);
  const found: Violation[] = [];
  for (const session of sessions.values()) {
    found.push(...lateReplays(session, history, steady));
    found.push(...successors(session, history.losses));
    const ends = endsOf(session, cutOffs.get(session.login.subject) ?? [], sessions, history);
    found.push(...lifeOf(session, ends));
    found.push(...validationsOf(session, ends, validations.get(session.sid) ?? [], history));
    found.push(...reuses(session, history.graceMs));
  }
  for (const call of history.calls) found.push(...oddAnswer(call), ...expiry(call, history));
  found.push(...boundsOf(history), ...lateValidations(history));
  return found.sort((a, b) => a.rule.localeCompare(b.rule));
}

const overlaps = (a: Span, b: Span): boolean => a.fromMs <= b.toMs && b.fromMs <= a.toMs;

/** (a) All answers to one refresh token are one pair, of the next generation. */
function successors({ sid, calls }: Session, losses: readonly Span[]): Violation[] {
  const found: Violation[] = [];
  const first = new Map<number, CallRecord>();
  for (const call of calls) {
    if (call.kind !== 'refresh' || call.outcome.is !== 'granted' || call.gen === undefined) continue;
    // Read before the loss, written after it: such a pair is dead at birth, and so is any other of its session.
    if (losses.some((loss) => overlaps(loss, call))) continue;
    const { pair } = call.outcome;
    if (pair.sid !== sid || pair.gen !== call.gen + 1) {
      found.push({
        rule: 'a',
        sid,
        what: `generation ${call.gen} got generation ${pair.gen} of ${pair.sid}`,
        calls: [call],
      });
    }
    const known = first.get(call.gen);
    first.set(call.gen, known ?? call);
    if (known?.outcome.is !== 'granted') continue;
    const other = known.outcome.pair;
    if (other.claims === pair.claims && other.refreshHash === pair.refreshHash) continue;
    found.push({ rule: 'a', sid, what: `generation ${call.gen} got two successors`, calls: [known, call] });
  }
  return found;
}

/** (b), (c), (d) There is a moment at which the session can have ended, and something that can have ended it then. */
function lifeOf({ sid, login, calls, stoodMs }: Session, ends: readonly End[]): Violation[] {
  const found: Violation[] = [];
  const last = calls.find((call) => call.fromMs === stoodMs) ?? login;
  const sure = ends.filter((end) => end.sure).sort((a, b) => a.toMs - b.toMs)[0];
  if (sure && sure.toMs < stoodMs) {
    const what = `stands after its end (${sure.kind}) was acknowledged`;
    found.push({ rule: 'b', sid, what, calls: [...(sure.call ? [sure.call] : []), last] });
  }
  for (const call of calls) {
    const { kind, outcome, toMs } = call;
    if (outcome.is !== 'refused' || outcome.problem !== 'REVOKED') continue;
    if (toMs < stoodMs)
      found.push({ rule: 'b', sid, what: 'is active after it was said to be over', calls: [call, last] });
    const named = ends.filter((end) => outcome.cause === undefined || end.kind === outcome.cause);
    if (named.some((end) => end.fromMs <= toMs && end.toMs >= Math.min(stoodMs, toMs))) continue;
    const what = `is said to be over (${outcome.cause ?? 'no cause given'}), and nothing in the history can have ended it`;
    found.push({ rule: kind === 'validate' ? 'c' : 'd', sid, what, calls: [last, call] });
  }
  return found;
}

/** (d) REUSED needs another call that sent the token; within the window it needs one that sent its successor, too. */
function reuses({ sid, calls }: Session, graceMs: number): Violation[] {
  return calls.flatMap((call): Violation[] => {
    const { kind, gen = 0, outcome, toMs } = call;
    if (outcome.is !== 'refused' || outcome.problem !== 'REUSED') return [];
    const usedMs = firstUseMs(call, calls);
    if (usedMs === undefined)
      return [{ rule: 'd', sid, what: 'is refused as used, but no other call sent it', calls: [call] }];
    const superseded = calls.some((other) => other.kind === 'refresh' && other.gen === gen + 1 && other.fromMs <= toMs);
    if (kind !== 'refresh' || superseded || toMs >= usedMs + graceMs) return [];
    return [{ rule: 'd', sid, what: 'a retry within the window is refused as a reuse', calls: [call] }];
  });
}

/** (d) All tokens are authentic and well-formed, so only these problems are possible. */
function oddAnswer(call: CallRecord): Violation[] {
  const { kind, outcome, sid } = call;
  if (outcome.is !== 'refused') return [];
  const mayRefuse = kind === 'refresh' || kind === 'validate' || kind === 'everywhere';
  if (mayRefuse && KNOWN_PROBLEMS.includes(outcome.problem) && !(kind === 'validate' && outcome.problem === 'REUSED')) {
    return [];
  }
  return [{ rule: 'd', sid, what: `an odd answer to ${kind}: ${outcome.problem}`, calls: [call] }];
}

/** (d) A token expires at its `exp`: never before, and in ValidateToken not after. */
function expiry(call: CallRecord, { unixOffsetMs }: History): Violation[] {
  const { kind, outcome, exp, fromMs, toMs, sid } = call;
  if (exp === undefined) return [];
  const expMs = exp * 1000 - unixOffsetMs;
  if (outcome.is === 'refused' && outcome.problem === 'EXPIRED' && toMs < expMs - CLOCK_ERROR_MS) {
    return [{ rule: 'd', sid, what: 'is refused as expired before its exp', calls: [call] }];
  }
  if (kind === 'validate' && outcome.is === 'active' && fromMs > expMs + CLOCK_LAG_MS) {
    return [{ rule: 'd', sid, what: 'is active after its exp', calls: [call] }];
  }
  return [];
}

/**
 * (f) Only outages extend a token's window. Only the time since the last fault is judged: that fault may have restarted
 * the node, and the time before a start does not count as part of the window. A call is not judged if its node left
 * another call without an answer within the window: the node may have been without its store.
 */
function lateReplays({ sid, calls }: Session, history: History, steady: readonly Span[]): Violation[] {
  const granted = calls.filter(({ kind, outcome }) => kind === 'refresh' && outcome.is === 'granted');
  return granted.flatMap((call): Violation[] => {
    const first = granted.reduce(
      (least, other) => (other.gen === call.gen && other.toMs < least.toMs ? other : least),
      call,
    );
    const since = steady.find(({ fromMs, toMs }) => fromMs <= call.fromMs && call.fromMs <= toMs);
    if (!since) return [];
    const window = { fromMs: Math.max(first.toMs, since.fromMs), toMs: call.fromMs };
    if (window.toMs - window.fromMs <= history.graceMs + WINDOW_SLACK_MS) return [];
    if (history.calls.some((other) => other.node === call.node && isUnanswered(other) && overlaps(other, window)))
      return [];
    return [{ rule: 'f', sid, what: 'a used token got a pair after the window', calls: [first, call] }];
  });
}

const isUnanswered = ({ outcome, deadlineMs }: CallRecord): boolean =>
  outcome.is === 'unknown' && deadlineMs >= CALL_BOUND_MS;
