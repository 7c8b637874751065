// Confirmation of a denial: the entry that denies a token is made as durable as a logout before the refusal is sent.

import type { Context } from '../context.js';
import type { Denial, SessionState } from '../session/session-state.js';
import type { Token } from '../token/token.js';
import { confirmEnd } from './end-session.js';
import { confirmCutOff } from './end-subject.js';

/**
 * Call before refusing a token. The entry may have been read from a server that fails before any replica has a copy;
 * the session would then be active again after it was reported as ended.
 * @throws StoreUnavailable
 */
export async function confirmDenial(
  context: Context,
  token: Token,
  state: SessionState,
  denied: Denial | undefined,
): Promise<void> {
  if (denied === 'ended') await confirmEnd(context, token, state);
  else if (denied === 'not-before') await confirmCutOff(context, token.subject, state);
}
