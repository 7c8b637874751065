// When validators come to know that a session is over: the time after the answer to the logout. Pure.

import { bySession } from './ends.js';
import type { CallRecord, History, ValidationRecord } from './record.js';

/** One logout, at one validator that had called the session's token active shortly before. All times from its answer, ms. */
export interface KnownEnd {
  /** When the validator last called a token of the session active; 0: before the answer. */
  readonly activeUntilMs: number;
  /** When it first called one not active; undefined: it was not asked afterwards. */
  readonly knownMs: number | undefined;
}

/** For each acknowledged logout and each validator that could still have called the session active. */
export function knownEnds({ calls, validations }: History, stalenessMs: number): KnownEnd[] {
  const logouts = new Map<string, CallRecord>();
  for (const call of calls) {
    const { kind, outcome, sid } = call;
    if (kind !== 'logout' || outcome.is !== 'done' || sid === undefined) continue;
    const known = logouts.get(sid);
    if (!known || call.toMs < known.toMs) logouts.set(sid, call);
  }
  const bySid = bySession(validations.filter((each) => each.stalenessMs === stalenessMs));
  return [...logouts].flatMap(([sid, logout]) => {
    const own = bySid.get(sid) ?? [];
    const names = new Set(own.map(({ validator }) => validator));
    return [...names].flatMap((name) =>
      knownAt(
        own.filter(({ validator }) => validator === name),
        logout,
        stalenessMs,
      ),
    );
  });
}

function knownAt(own: readonly ValidationRecord[], { toMs: endMs }: CallRecord, stalenessMs: number): KnownEnd[] {
  const active = own.filter(({ outcome }) => outcome.is === 'active').map(({ handedMs }) => handedMs - endMs);
  if (!active.some((ms) => ms > -stalenessMs)) return [];
  const refused = own.filter(({ outcome }) => outcome.is === 'refused').map(({ toMs }) => toMs - endMs);
  // One that was known before the answer came was known at the answer.
  const knownMs = refused.length === 0 ? undefined : Math.max(0, Math.min(...refused));
  return [{ activeUntilMs: Math.max(0, ...active), knownMs }];
}
