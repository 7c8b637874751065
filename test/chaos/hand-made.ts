// Histories that are written by hand: a few words a call, everything else as it usually is.

import { violationsIn } from './checker.js';
import type { CallKind, CallRecord, History, Outcome, ValidationRecord, Violation } from './record.js';

/** Of the histories here, ms. */
export const GRACE_MS = 2_000;
/** When their tokens end, in the history's own time, ms. */
export const EXP_MS = 60_000;
/** Unix time at their beginning, ms. */
const BEGINNING_MS = 1_795_354_000_000;

export const active: Outcome = { is: 'active' };
export const done: Outcome = { is: 'done' };
export const unknown: Outcome = { is: 'unknown', code: 'UNAVAILABLE' };
export const refused = (problem: string, cause?: string): Outcome => ({ is: 'refused', problem, cause });

/** @param mark what differs in a pair that is not the same */
export const granted = (gen: number, mark = '', sid = 's'): Outcome => ({
  is: 'granted',
  pair: { sid, gen, claims: `a${sid}.${gen} r${sid}.${gen}`, refreshHash: `hash of ${gen}${mark}` },
});

const call = (
  kind: CallKind,
  fromMs: number,
  toMs: number,
  outcome: Outcome,
  more: Partial<CallRecord>,
): CallRecord => ({
  ...{ kind, node: 0, deadlineMs: 4_000, subject: 'alice', fromMs, toMs, outcome },
  ...more,
});

/** A token of the session `s`; of generation 0, unless a call gives another. */
const own = { sid: 's', gen: 0, exp: (BEGINNING_MS + EXP_MS) / 1000 };

type Made = (fromMs: number, toMs: number, outcome: Outcome, more?: Partial<CallRecord>) => CallRecord;

export const validate: Made = (from, to, outcome, more) => call('validate', from, to, outcome, { ...own, ...more });
export const refresh: Made = (from, to, outcome, more) => call('refresh', from, to, outcome, { ...own, ...more });
export const logout: Made = (from, to, outcome, more) => call('logout', from, to, outcome, { ...own, ...more });
export const everywhere: Made = (from, to, outcome, more) => call('everywhere', from, to, outcome, { ...own, ...more });
export const revoke: Made = (from, to, outcome, more) => call('revoke', from, to, outcome, { ...more });
export const issue = (fromMs: number, toMs: number, sid = 's'): CallRecord =>
  call('issue', fromMs, toMs, granted(0, '', sid), {});

/** `maxStaleness` of the validations here, ms. */
export const STALENESS_MS = 500;

/** A validation of a token of the session `s`, with the allowed staleness, handed over at its end. */
export const validation = (
  fromMs: number,
  toMs: number,
  outcome: Outcome,
  more: Partial<ValidationRecord> = {},
): ValidationRecord => ({
  ...{ validator: 'bounded', stalenessMs: STALENESS_MS, deadlineMs: 1_000, subject: 'alice', ...own },
  ...{ fromMs, toMs, handedMs: toMs, outcome },
  ...more,
});

/** What the checker finds; a session `s` of alice has begun at 0 to 10, unless the calls begin it. */
export function found(calls: readonly CallRecord[], more: Partial<History> = {}): Violation[] {
  const begun = calls.some(
    ({ kind, outcome }) => kind === 'issue' && outcome.is === 'granted' && outcome.pair.sid === 's',
  );
  return violationsIn({
    calls: begun ? calls : [issue(0, 10), ...calls],
    faults: [],
    losses: [],
    stalls: [],
    validations: [],
    validatorStalls: {},
    unixOffsetMs: BEGINNING_MS,
    graceMs: GRACE_MS,
    ...more,
  });
}

/** The rules that a history breaks. */
export const broken = (calls: readonly CallRecord[], more: Partial<History> = {}): string =>
  [...new Set(found(calls, more).map(({ rule }) => rule))].join('');
