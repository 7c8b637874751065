// Validation of an access token: whether it is active now.

import { confirmDenial } from './confirm-denial.js';
import type { Context } from './context.js';
import type { Call } from './ports.js';
import { denial, readSessionState, whyDenied } from './session-state.js';
import { refusal, type TokenProblem, TokenRefused } from './token/errors.js';
import type { Verified } from './verified.js';
import { lookUp, verifyAndCache } from './verified-token-cache.js';

export type Validation =
  | { readonly active: true; readonly verified: Verified }
  | { readonly active: false; readonly problem: TokenProblem; readonly why: string | undefined };

/**
 * Decides whether an access token is active.
 * @throws StoreUnavailable if that cannot be determined
 */
export async function validate(context: Context, call: Call, text: string): Promise<Validation> {
  try {
    const verified = lookUp(context, call, text) ?? (await verifyAndCache(context, call, text));
    const { token, storeKeys } = verified;
    const state = await readSessionState(context, storeKeys);
    const denied = denial(token, state);
    if (!denied) return { active: true, verified };
    if (denied === 'lost') {
      const { subject, sessionId, generation } = token;
      call.audit({ event: 'session_lost', subject, sessionId, generation });
    }
    await confirmDenial(context, token, state, denied);
    throw refusal('REVOKED', whyDenied(denied, state));
  } catch (error) {
    if (error instanceof TokenRefused) return { active: false, problem: error.problem, why: error.why };
    throw error;
  }
}
