// Owns the one write that ends a session.

import type { Context } from './context.js';
import { type EndCause, endedValue } from './entries.js';
import { sessionKey } from './place.js';
import { type Policy, SLACK_MS } from './policy.js';
import type { Call } from './ports.js';
import type { Standing } from './standing.js';
import { adoptedEndMs, denyUntilMs, sessionEndMs, type Token } from './token.js';

/**
 * Ends a session, if what was read of it still stands.
 * @returns whether it was written
 * @throws StoreUnavailable
 */
export async function endSession(
  context: Context,
  call: Call,
  token: Token,
  cause: EndCause,
  standing: Standing,
  writeUntilMs: number,
): Promise<boolean> {
  const { store, policy, ledger } = context;
  const { subject, sessionId } = token;
  const untilMs = keptUntilMs(token, standing, policy);
  const lifetimeMs = untilMs - store.now(standing.known.shard);
  const draft = { value: endedValue(cause), atLeastMs: 0 };
  const key = sessionKey(subject, sessionId);
  const swapped = await store.swap(key, standing.sessionText, draft, lifetimeMs, writeUntilMs);
  if (!swapped.won) return false;
  call.audit({ event: 'session_ended', subject, sessionId, cause });
  await ledger.acknowledge(standing.known, key, swapped, untilMs);
  return true;
}

/** To be called before a caller hears that a session that was found ended is over. @throws StoreUnavailable */
export async function confirmEnd(context: Context, token: Token, standing: Standing): Promise<void> {
  const key = sessionKey(token.subject, token.sessionId);
  const untilMs = keptUntilMs(token, standing, context.policy);
  await context.ledger.acknowledge(standing.known, key, { current: standing.sessionText }, untilMs);
}

/** The end is kept for as long as there may be something to deny. */
const keptUntilMs = (token: Token, standing: Standing, policy: Policy): number =>
  deadFromMs(token, standing, policy) + SLACK_MS;

/**
 * From when no token of the session can be active any more, Unix ms: by today's SESSION_MAX, and, since that may be
 * raised, by the `exp` of the token that came and of those that were answered last.
 */
export function deadFromMs(token: Token, { session }: Standing, policy: Policy): number {
  const answeredMs = session?.state === 'live' ? session.refreshExpiresAt * 1000 : 0;
  // The entry of an adopted session is kept as long as the adopted token. If it is lost, nothing tells how long that is.
  const adoptedMs = token.fromElsewhere && !token.adopted && !session ? adoptedEndMs(token.startMs) : 0;
  return Math.max(sessionEndMs(token.startMs, policy), denyUntilMs(token), answeredMs, adoptedMs);
}
