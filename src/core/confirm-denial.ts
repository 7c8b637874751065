// What must be so before a caller is told that a session is over: that answer is as durable as a logout's.

import type { Context } from './context.js';
import { confirmEnd } from './end-session.js';
import { confirmCutOff } from './end-subject.js';
import type { Denial, Standing } from './standing.js';
import type { Token } from './token.js';

/**
 * To be called before a token is refused. The end may have been read from a server that dies before any replica has it,
 * and the session would be active again after it was said to be over.
 * @throws StoreUnavailable
 */
export async function confirmDenial(
  context: Context,
  token: Token,
  standing: Standing,
  denied: Denial | undefined,
): Promise<void> {
  if (denied === 'ended') await confirmEnd(context, token, standing);
  else if (denied === 'not-before') await confirmCutOff(context, token.subject, standing);
}
