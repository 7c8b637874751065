// The write that ends a session, and the confirmation of an earlier one.

import type { Context } from '../context.js';
import type { Policy } from '../policy.js';
import type { Call } from '../ports.js';
import { type EndCause, endedValue } from '../session/entries.js';
import { SLACK_MS } from '../session/rules.js';
import type { SessionState } from '../session/session-state.js';
import { sessionKey } from '../session/store-keys.js';
import { adoptedEndMs, denyUntilMs, sessionEndMs, type Token } from '../token/token.js';

/** The session to end, as it was read, and the cause. */
export interface SessionEnd {
  readonly token: Token;
  readonly state: SessionState;
  readonly cause: EndCause;
  /** The deadline of the write, the store's time, Unix ms. */
  readonly writeUntilMs: number;
}

/**
 * Ends a session, unless its entry has changed since it was read.
 * @returns whether the end was written
 * @throws StoreUnavailable
 */
export async function endSession(
  context: Context,
  call: Call,
  { token, state, cause, writeUntilMs }: SessionEnd,
): Promise<boolean> {
  const { store, policy, ledger } = context;
  const { subject, sessionId } = token;
  const untilMs = keptUntilMs(token, state, policy);
  const lifetimeMs = untilMs - store.now(state.snapshot.shard);
  const key = sessionKey(subject, sessionId);
  const draft = { value: endedValue(cause), atLeastMs: 0, lifetimeMs, notAfterMs: writeUntilMs };
  const swapped = await store.swap(key, state.sessionText, draft);
  if (!swapped.won) return false;
  call.audit({ event: 'session_ended', subject, sessionId, cause });
  await ledger.acknowledge(state.snapshot, key, swapped, untilMs);
  return true;
}

/** Call before reporting an already-ended session as ended. @throws StoreUnavailable */
export async function confirmEnd(context: Context, token: Token, state: SessionState): Promise<void> {
  const key = sessionKey(token.subject, token.sessionId);
  const untilMs = keptUntilMs(token, state, context.policy);
  await context.ledger.acknowledge(state.snapshot, key, { current: state.sessionText }, untilMs);
}

/** The end is kept as long as a token of the session could be active. */
const keptUntilMs = (token: Token, state: SessionState, policy: Policy): number =>
  deadFromMs(token, state, policy) + SLACK_MS;

/**
 * The time from which no token of the session can be active, Unix ms. It covers today's SESSION_MAX and, since that may
 * be raised, the `exp` of the presented token and of the last pair.
 */
export function deadFromMs(token: Token, { session }: SessionState, policy: Policy): number {
  const answeredMs = session?.state === 'live' ? session.refreshExpiresAt * 1000 : 0;
  // The entry of an adopted session records the `exp` of its tokens. If the entry is lost, only the maximum is known.
  const adoptedMs = token.fromElsewhere && !token.adopted && !session ? adoptedEndMs(token.startMs) : 0;
  return Math.max(sessionEndMs(token.startMs, policy), denyUntilMs(token), answeredMs, adoptedMs);
}
