// The write that ends a session.

import type { Context } from '../context.js';
import type { Call } from '../ports.js';
import { type EndCause, endedValue } from '../session/entries.js';
import { endKeptUntilMs } from '../session/retention.js';
import type { SessionState } from '../session/session-state.js';
import { sessionKey } from '../session/store-keys.js';
import { presentedMs, type Token } from '../token/token.js';

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
export function endSession(
  { store, policy }: Context,
  call: Call,
  { token, state, cause, writeUntilMs }: SessionEnd,
): Promise<boolean> {
  const { subject, sessionId } = token;
  return store.commit(state, {
    key: sessionKey(subject, sessionId),
    value: endedValue(cause),
    keptUntilMs: endKeptUntilMs(token, state, policy),
    writeUntilMs,
    revocation: { kind: 'session', subject, sessionId, cause },
    presentedMs: presentedMs(token),
    onWritten: () => call.audit({ event: 'session_ended', subject, sessionId, cause }),
  });
}
