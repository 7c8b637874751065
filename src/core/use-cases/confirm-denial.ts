// Confirmation of a denial: the entry that denies a token is made as durable as a logout before the refusal is sent.

import type { Context } from '../context.js';
import { cutOffKeptMs, endKeptUntilMs, liveKeptUntilMs } from '../session/retention.js';
import type { Denial, SessionState } from '../session/session-state.js';
import { notBeforeKey, sessionKey } from '../session/store-keys.js';
import type { Token } from '../token/token.js';

/**
 * Call before refusing a token. The entry may have been read from a server that fails before any replica has a copy;
 * the session would then be active again after it was reported as ended.
 * @throws StoreUnavailable
 */
export async function confirmDenial(
  { store, policy }: Context,
  token: Token,
  state: SessionState,
  denied: Denial | undefined,
): Promise<void> {
  const { subject, sessionId } = token;
  if (denied === 'ended') {
    await store.confirm(state, sessionKey(subject, sessionId), endKeptUntilMs(token, state, policy));
  } else if (denied === 'superseded' && state.session?.state === 'live') {
    await store.confirm(state, sessionKey(subject, sessionId), liveKeptUntilMs(token, state.session));
  } else if (denied === 'not-before') {
    await store.confirm(state, notBeforeKey(subject), (state.notBefore?.atMs ?? 0) + cutOffKeptMs(policy));
  }
}
