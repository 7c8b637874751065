// Owns the one write that ends a session.

import type { Context } from './context.js';
import { type EndCause, endedValue } from './entries.js';
import { SLACK_MS } from './policy.js';
import type { Call } from './ports.js';
import { sessionKey } from './standing.js';
import { denyUntilMs, sessionEndMs, type Token } from './token.js';

/**
 * Ends a session, if what is expected still stands. The entry is kept until no token of the session can stand any
 * more by today's SESSION_MAX, nor the one that came by its own `exp`.
 * @returns whether it was written
 * @throws StoreUnavailable
 */
export async function endSession(
  context: Context,
  call: Call,
  token: Token,
  cause: EndCause,
  expected: string | undefined,
  writeUntilMs: number,
): Promise<boolean> {
  const { store, policy } = context;
  const { subject, sessionId } = token;
  const keptUntilMs = Math.max(sessionEndMs(token.startMs, policy), denyUntilMs(token, policy)) + SLACK_MS;
  const draft = { value: endedValue(cause), atLeastMs: 0 };
  const { won } = await store.swap(
    sessionKey(subject, sessionId),
    expected,
    draft,
    keptUntilMs - store.now(),
    writeUntilMs,
  );
  if (won) call.audit({ event: 'session_ended', subject, sessionId, cause });
  return won;
}
