// Rules (g), (h) and (i) of the checker: what validators may answer, and when. Pure.
//
// A validator's answer is as old as the call to the service that it rests on. That call is not in the history; but a
// strict one was sent after `validate` was called, and any other at most the allowed staleness before the answer was
// handed over. From then on the answer is judged as the service's own would be.

import { CALL_SLACK_MS, CLOCK_ERROR_MS, CLOCK_LAG_MS, lengthOf } from './bounds.js';
import type { End, Session } from './ends.js';
import type { CallRecord, History, ValidationRecord, Violation } from './record.js';

/** Why an authentic token can be not active. Both are for good. */
const PROBLEMS = ['EXPIRED', 'REVOKED'];

/** What showed that a session was over, and when that was known. */
interface Over {
  readonly atMs: number;
  readonly what: string;
  readonly calls: readonly CallRecord[];
  readonly validations: readonly ValidationRecord[];
}

const isRevoked = ({ outcome }: CallRecord | ValidationRecord): boolean =>
  outcome.is === 'refused' && outcome.problem === 'REVOKED';

/** The earliest time at which the call was sent that an answer "active" rests on. */
const sentFromMs = ({ stalenessMs, fromMs, handedMs }: ValidationRecord): number =>
  stalenessMs === undefined ? fromMs : handedMs - stalenessMs;

/** The violations of rules (g) and (h) that the validations of one session show. */
export function validationsOf(
  session: Session,
  ends: readonly End[],
  validations: readonly ValidationRecord[],
  history: History,
): Violation[] {
  if (validations.length === 0) return [];
  const over = overSince(session, ends, validations, history);
  return [
    ...validations.flatMap((each) => staleness(each, over, history)),
    ...validations.flatMap((each) => reason(each, history)),
    ...causes(session, ends, validations, history),
    ...takenBack(validations),
  ];
}

/** The first moment at which the session was known to be over; undefined: it never was. */
function overSince(
  { calls }: Session,
  ends: readonly End[],
  validations: readonly ValidationRecord[],
  { takesBack = false }: History,
): Over | undefined {
  const shown: Over[] = [
    ...ends
      .filter(({ sure }) => sure)
      .map(({ kind, toMs, call }) => ({
        ...{ atMs: toMs, what: `its end (${kind}) was acknowledged` },
        ...{ calls: call ? [call] : [], validations: [] },
      })),
    ...calls
      .filter(isRevoked)
      .map((call) => ({ atMs: call.toMs, what: 'the service called it over', calls: [call], validations: [] })),
    ...validations
      .filter((each) => isRevoked(each) && !(takesBack && each.byFeed))
      .map((each) => ({ atMs: each.toMs, what: 'a validator called it over', calls: [], validations: [each] })),
  ];
  return shown.reduce<Over | undefined>((least, each) => (least && least.atMs <= each.atMs ? least : each), undefined);
}

/** (g) The call that an answer "active" rests on was sent before the session's end was known, and before `exp`. */
function staleness(each: ValidationRecord, over: Over | undefined, { unixOffsetMs }: History): Violation[] {
  if (each.outcome.is !== 'active') return [];
  const { sid, exp } = each;
  const sentMs = sentFromMs(each);
  const found: Violation[] = [];
  if (over && over.atMs < sentMs) {
    const lateMs = (sentMs - over.atMs).toFixed(1);
    const what = `called active ${lateMs} ms later than allowed after ${over.what}`;
    found.push({ rule: 'g', sid, what, calls: over.calls, validations: [...over.validations, each] });
  }
  if (sentMs > exp * 1000 - unixOffsetMs + CLOCK_LAG_MS) {
    found.push({ rule: 'g', sid, what: 'called active after its exp', calls: [], validations: [each] });
  }
  return found;
}

/** (h) All tokens are authentic, so only these problems are possible. */
function reason(each: ValidationRecord, { unixOffsetMs }: History): Violation[] {
  const { sid, exp, outcome, toMs } = each;
  if (outcome.is !== 'refused') return [];
  const { problem } = outcome;
  const isEarly = problem === 'EXPIRED' && toMs < exp * 1000 - unixOffsetMs - CLOCK_ERROR_MS;
  if (PROBLEMS.includes(problem) && !isEarly) return [];
  const what = isEarly ? 'called expired before its exp' : `an odd answer of a validator: ${problem}`;
  return [{ rule: 'h', sid, what, calls: [], validations: [each] }];
}

/** (h) A session is called over only if something can have ended it by then, and if it was not active afterwards. */
function causes(
  session: Session,
  ends: readonly End[],
  validations: readonly ValidationRecord[],
  { takesBack = false }: History,
): Violation[] {
  const { sid, login, calls } = session;
  const lastActive = calls.find(({ fromMs }) => fromMs === session.stoodMs) ?? login;
  const latest = validations
    .filter(({ outcome }) => outcome.is === 'active')
    .reduce((maxMs, each) => Math.max(maxMs, sentFromMs(each)), session.stoodMs);
  return validations.filter(isRevoked).flatMap((each): Violation[] => {
    const { toMs } = each;
    const shown = { sid, calls: [lastActive], validations: [each] };
    // The feed sends an end as soon as it is written. A failover may lose an end that no answer has acknowledged.
    if (takesBack && each.byFeed && ends.some((end) => !end.sure && end.fromMs <= toMs)) return [];
    if (toMs < session.stoodMs)
      return [{ rule: 'h', what: 'called over, and active at the service afterwards', ...shown }];
    if (ends.some((end) => end.fromMs <= toMs && end.toMs >= Math.min(latest, toMs))) return [];
    return [{ rule: 'h', what: 'called over, and nothing in the history can have ended it', ...shown }];
  });
}

/** (h) "Not active" is for good, at one validator and for one token. */
function takenBack(validations: readonly ValidationRecord[]): Violation[] {
  const first = new Map<string, ValidationRecord>();
  const keyOf = ({ validator, gen }: ValidationRecord): string => `${validator} ${gen}`;
  for (const each of validations) {
    if (each.outcome.is !== 'refused' || !PROBLEMS.includes(each.outcome.problem)) continue;
    const known = first.get(keyOf(each));
    if (!known || each.toMs < known.toMs) first.set(keyOf(each), each);
  }
  return validations.flatMap((each): Violation[] => {
    const refused = first.get(keyOf(each));
    if (!refused || each.outcome.is !== 'active' || each.fromMs < refused.toMs) return [];
    const what = 'called active after it was called not active for good';
    return [{ rule: 'h', sid: each.sid, what, calls: [], validations: [refused, each] }];
  });
}

/** (i) Stalls do not count: of the validator's process, and of the test's process, in which the proxies run. */
export function lateValidations({ validations, validatorStalls, stalls }: History): Violation[] {
  return validations.flatMap((each): Violation[] => {
    const { sid, validator, deadlineMs, fromMs, toMs } = each;
    const mostMs = deadlineMs + CALL_SLACK_MS;
    if (toMs - fromMs <= mostMs) return [];
    const tookMs = Math.round(lengthOf(each, [...(validatorStalls[validator] ?? []), ...stalls]));
    if (tookMs <= mostMs) return [];
    const what = `a validator took ${tookMs} ms, with a deadline of ${deadlineMs}`;
    return [{ rule: 'i', sid, what, calls: [], validations: [each] }];
  });
}
