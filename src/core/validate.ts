// Validation of an access token: whether it is active now.

import { confirmDenial } from './confirm-denial.js';
import type { Context } from './context.js';
import type { Call } from './ports.js';
import { denial, whyDenied, withSessionState } from './session-state.js';
import { type TokenProblem, TokenRefused } from './token/errors.js';
import type { Verified } from './verified.js';
import { lookUp, verifyAndCache } from './verified-token-cache.js';

export type Validation =
  | { readonly active: true; readonly verified: Verified }
  | { readonly active: false; readonly problem: TokenProblem; readonly why: string | undefined };

/**
 * Decides whether an access token is active.
 * @throws StoreUnavailable if that cannot be determined
 */
export function validate(context: Context, call: Call, text: string): Promise<Validation> {
  try {
    const cached = lookUp(context, call, text);
    return cached ? validateVerified(context, call, cached) : validateNew(context, call, text);
  } catch (error) {
    return Promise.reject(error);
  }
}

async function validateNew(context: Context, call: Call, text: string): Promise<Validation> {
  try {
    return await validateVerified(context, call, await verifyAndCache(context, call, text));
  } catch (error) {
    if (error instanceof TokenRefused) return { active: false, problem: error.problem, why: error.why };
    throw error;
  }
}

function validateVerified(context: Context, call: Call, verified: Verified): Promise<Validation> {
  const { token, storeKeys } = verified;
  return withSessionState(context, storeKeys, (state): Validation | Promise<Validation> => {
    const denied = denial(token, state);
    if (!denied) return { active: true, verified };
    if (denied === 'lost') {
      const { subject, sessionId, generation } = token;
      call.audit({ event: 'session_lost', subject, sessionId, generation });
    }
    const why = whyDenied(denied, state);
    return confirmDenial(context, token, state, denied).then(() => ({ active: false, problem: 'REVOKED', why }));
  });
}
