// What may have ended a session in a history, and when: of each call the span in which it can have taken effect.

import type { CallRecord, History, Span } from './record.js';

/** For how long after its failure a call may still write: the service's own 2 seconds, and 1 for the ways between. */
export const WRITE_BOUND_MS = 3_000;

/** The causes as the service names them. */
export type EndKind = 'logout' | 'not-before' | 'reuse' | 'birth';

/** An end that took effect within the span; unless it is sure, it may also have taken none. */
export interface End extends Span {
  readonly kind: EndKind;
  readonly sure: boolean;
  /** undefined: the store was lost. */
  readonly call?: CallRecord;
}

/** When a call can have taken effect: until its answer, or, without one, until its write bound. */
export const effectOf = ({ fromMs, toMs, outcome }: CallRecord): Span => ({
  fromMs,
  toMs: outcome.is === 'unknown' ? toMs + WRITE_BOUND_MS : toMs,
});

/** One session's calls: its login, and all that were made with its tokens. */
export interface Session {
  readonly sid: string;
  readonly login: CallRecord;
  readonly calls: readonly CallRecord[];
  /** The latest start of a call that found the session active: it was active at that moment or later. */
  readonly stoodMs: number;
}

/** Whether a call found its session active when it read the store. REUSED is answered only for an active session. */
const sawItStand = ({ kind, outcome }: CallRecord): boolean =>
  outcome.is === 'active' ||
  outcome.is === 'granted' ||
  (kind === 'refresh' && outcome.is === 'refused' && outcome.problem === 'REUSED');

/** Records by the session of their token. */
export function bySession<Kept extends { readonly sid?: string }>(records: readonly Kept[]): Map<string, Kept[]> {
  const groups = new Map<string, Kept[]>();
  for (const record of records) {
    if (record.sid === undefined) continue;
    const known = groups.get(record.sid);
    if (known) known.push(record);
    else groups.set(record.sid, [record]);
  }
  return groups;
}

/** The sessions of a history whose login was answered. */
export function sessionsIn({ calls }: History): Map<string, Session> {
  const bySid = bySession(calls);
  const sessions = new Map<string, Session>();
  for (const login of calls) {
    if (login.kind !== 'issue' || login.outcome.is !== 'granted') continue;
    const { sid } = login.outcome.pair;
    const own = bySid.get(sid) ?? [];
    const stoodMs = [login, ...own].reduce((max, call) => (sawItStand(call) ? Math.max(max, call.fromMs) : max), 0);
    sessions.set(sid, { sid, login, calls: own, stoodMs });
  }
  return sessions;
}

/** The calls that cut subjects off, by subject. */
export function cutOffsIn({ calls }: History): Map<string, CallRecord[]> {
  const cuts = new Map<string, CallRecord[]>();
  for (const call of calls) {
    if (call.kind !== 'everywhere' && call.kind !== 'revoke') continue;
    if (call.outcome.is === 'refused') continue;
    cuts.set(call.subject, [...(cuts.get(call.subject) ?? []), call]);
  }
  return cuts;
}

/** All that may have ended a session. */
export function endsOf(
  session: Session,
  cutOffs: readonly CallRecord[],
  sessions: ReadonlyMap<string, Session>,
  { losses, graceMs }: History,
): End[] {
  const { login, calls, sid } = session;
  const ends: End[] = [];
  for (const call of calls) {
    if (call.kind === 'logout' && call.outcome.is !== 'refused') {
      ends.push({ kind: 'logout', sure: call.outcome.is === 'done', call, ...effectOf(call) });
    }
    if (mayBeReuse(call, calls, graceMs)) ends.push({ kind: 'reuse', sure: false, call, ...effectOf(call) });
  }
  for (const call of cutOffs) {
    const done = call.outcome.is === 'done';
    // A session that was known before the cut-off began is among those that started until then.
    const known = login.toMs <= call.fromMs && (call.kind === 'revoke' || !mayBeRepeated(call, cutOffs, sessions));
    ends.push({ kind: 'not-before', sure: done && (known || call.sid === sid), call, ...effectOf(call) });
  }
  for (const loss of losses) ends.push({ kind: 'birth', sure: login.toMs <= loss.fromMs, ...loss });
  // What was over before the login began cannot have ended it.
  return ends.filter((end) => end.toMs >= login.fromMs);
}

/** The first moment at which another call can have traded the token; undefined: no other call sent it in time. */
export function firstUseMs(call: CallRecord, calls: readonly CallRecord[]): number | undefined {
  const { toMs } = effectOf(call);
  const others = calls.filter(
    (other) => other !== call && other.kind === 'refresh' && other.gen === call.gen && other.fromMs <= toMs,
  );
  return others.length === 0 ? undefined : Math.min(...others.map(({ fromMs }) => fromMs));
}

/** Whether a refresh may have ended its session as a reuse: its token was used, and the window may have passed. */
function mayBeReuse(call: CallRecord, calls: readonly CallRecord[], graceMs: number): boolean {
  const { kind, outcome } = call;
  if (kind !== 'refresh') return false;
  if (outcome.is !== 'unknown' && !(outcome.is === 'refused' && outcome.problem === 'REUSED')) return false;
  const usedMs = firstUseMs(call, calls);
  return usedMs !== undefined && effectOf(call).toMs >= usedMs + graceMs;
}

/**
 * Whether a logout everywhere may have found its own session cut off already. Then it is answered as the repetition
 * of the earlier one, and ends nothing that began since.
 */
function mayBeRepeated(
  call: CallRecord,
  cutOffs: readonly CallRecord[],
  sessions: ReadonlyMap<string, Session>,
): boolean {
  const own = sessions.get(call.sid ?? '');
  return cutOffs.some((other) => {
    if (other === call || other.fromMs > call.toMs) return false;
    // A cut-off whose effect lies before the session was last seen active has not ended it.
    return own === undefined || effectOf(other).toMs >= Math.max(own.stoodMs, own.login.fromMs);
  });
}
