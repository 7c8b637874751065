// How long entries are kept: as long as a token that they deny could be active. Pure.

import { ADOPTED_MAX_MS, type TokenRules } from '../token/rules.js';
import { adoptedEndMs, denyUntilMs, type PairTimes, sessionEndMs, type Token } from '../token/token.js';
import { SLACK_MS } from './rules.js';
import type { SessionState } from './session-state.js';

/**
 * The time from which no token of the session can be active, Unix ms. It covers today's SESSION_MAX and, since that may
 * be raised, the `exp` of the presented token and of the last pair.
 */
export function deadFromMs(token: Token, { session }: SessionState, rules: TokenRules): number {
  const answeredMs = session?.state === 'live' ? session.refreshExpiresAt * 1000 : 0;
  // The entry of an adopted session records the `exp` of its tokens. If the entry is lost, only the maximum is known.
  const adoptedMs = token.adoptedSession && !token.adopted && !session ? adoptedEndMs(token.startMs) : 0;
  return Math.max(sessionEndMs(token.startMs, rules), denyUntilMs(token), answeredMs, adoptedMs);
}

/** Until when an ended entry is kept, Unix ms: as long as a token of the session could be active. */
export const endKeptUntilMs = (token: Token, state: SessionState, rules: TokenRules): number =>
  deadFromMs(token, state, rules) + SLACK_MS;

/**
 * Until when a live entry is kept, Unix ms: until the tokens of its pair and the presented token, which it supersedes,
 * have expired.
 */
export const liveKeptUntilMs = (token: Token, times: PairTimes): number =>
  Math.max(times.accessExpiresAt * 1000, times.refreshExpiresAt * 1000, denyUntilMs(token)) + SLACK_MS;

/**
 * How long a cut-off is kept beyond its time, ms: until no token of a session that it denies can be active. Our own
 * tokens end with today's SESSION_MAX; an adopted one may have a later `exp`, and SESSION_MAX may be raised.
 */
export const cutOffKeptMs = ({ sessionMaxMs, adopts }: TokenRules): number =>
  Math.max(sessionMaxMs, adopts ? ADOPTED_MAX_MS : 0) + SLACK_MS;
