// The rule of RefreshToken: rotate, replay, refuse, or end the session. Pure.

import type { refusal } from '../token/errors.js';
import type { TokenRules } from '../token/rules.js';
import { sessionEndMs, type Token, timing } from '../token/token.js';
import type { LiveEntry } from './entries.js';
import { MOST_PAUSE_MS, type SessionRules } from './rules.js';
import { type Denial, denial, isAhead, type SessionState } from './session-state.js';

/** The action for a presented refresh token. */
export type RefreshDecision =
  /** Create the next pair. `heal`: the token is ahead of the store, which has lost writes. */
  | { readonly act: 'rotate'; readonly heal: boolean }
  /** Return the current pair again. */
  | { readonly act: 'replay'; readonly times: LiveEntry }
  | { readonly act: 'refuse'; readonly problem: Problem; readonly denied?: Denial }
  /** End the session, then refuse. */
  | { readonly act: 'end'; readonly cause: 'reuse' | 'lost'; readonly problem: Problem };

type Problem = Parameters<typeof refusal>[0];

/** The time of a decision, and what a node's outage and a lost race change about it. */
export interface DecisionTime {
  /** The store's time, Unix ms. */
  readonly nowMs: number;
  /**
   * How long this node has reached the store since the entry was written, ms: no client could retry during an outage.
   */
  readonly reachedMs: number;
  /** Whether this call read its token as current, and then lost the write to another call. */
  readonly raced: boolean;
}

/** Decides what to do about a refresh token. Pure: the same input gives the same decision. */
export function decideRefresh(
  token: Token,
  state: SessionState,
  time: DecisionTime,
  rules: TokenRules & SessionRules,
): RefreshDecision {
  const timeProblem = timing(token, rules, time.nowMs);
  const denied = denial(token, state);
  if (denied === 'superseded' && state.session?.state === 'live') {
    const { session } = state;
    const withinGrace = time.reachedMs <= rules.graceMs && time.nowMs - session.atMs <= rules.graceMs + MOST_PAUSE_MS;
    const oneBehind = token.generation === session.generation - 1;
    // A token that expired between the first try and the retry still replays: it was valid when it was exchanged.
    if (oneBehind && (withinGrace || time.raced) && time.nowMs < sessionEndMs(token.startMs, rules))
      return { act: 'replay', times: session };
    if (timeProblem) return { act: 'refuse', problem: timeProblem };
    // Not theft: two or more behind within the window is a delayed duplicate of an honest client's earlier call, and
    // the loser of a race may read again only after the winner has refreshed once more.
    if (withinGrace || time.raced) return { act: 'refuse', problem: 'REUSED' };
    // RFC 9700, section 4.14.2: either a thief or the honest client has used it before; the server cannot know which.
    return { act: 'end', cause: 'reuse', problem: 'REUSED' };
  }
  if (timeProblem) return { act: 'refuse', problem: timeProblem };
  // The end is written, so that the denial lasts: a token of an earlier generation must not start a second chain.
  if (denied === 'lost') return { act: 'end', cause: 'lost', problem: 'REVOKED' };
  if (denied) return { act: 'refuse', problem: 'REVOKED', denied };
  return { act: 'rotate', heal: isAhead(token, state) };
}

/** Whether RefreshToken would answer a pair for a token that is not expired, or why it would not. */
export type RefreshValidity =
  | { readonly active: true }
  | { readonly active: false; readonly problem: Problem; readonly denied: Denial | undefined };

/**
 * Judges a refresh token for a caller that does not trade it: no decision is carried out. A token that was traded and
 * may still be replayed is active, because RefreshToken still answers a pair for it; once expired it is not, although a
 * replay is answered even then: no token is active past its `exp` (RFC 7662, section 2.2). Pure.
 */
export function validityOfRefresh(
  token: Token,
  state: SessionState,
  time: DecisionTime,
  rules: TokenRules & SessionRules,
): RefreshValidity {
  const timeProblem = timing(token, rules, time.nowMs);
  if (timeProblem) return { active: false, problem: timeProblem, denied: undefined };
  const decision = decideRefresh(token, state, time, rules);
  if (decision.act === 'rotate' || decision.act === 'replay') return { active: true };
  return { active: false, problem: decision.problem, denied: denial(token, state) };
}
