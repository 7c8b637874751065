// Validation of an access token: whether it is active now.

import type { Context } from '../context.js';
import type { Call } from '../ports.js';
import { denial, whyDenied } from '../session/session-state.js';
import type { Verified } from '../session/verified-token.js';
import { type TokenProblem, TokenRefused } from '../token/errors.js';
import { isForAudience } from '../token/read-token.js';
import { confirmDenial } from './confirm-denial.js';
import { lookUp, verifyAndCache } from './verified-token-cache.js';

export type Validation =
  | { readonly active: true; readonly verified: Verified }
  | { readonly active: false; readonly problem: TokenProblem; readonly why: string | undefined };

/**
 * Decides whether an access token is active.
 * @param audience the audience that the token must have (RFC 7519, section 4.1.3); undefined: any of ours
 * @throws StoreUnavailable if that cannot be determined
 */
export function validate(context: Context, call: Call, text: string, audience?: string): Promise<Validation> {
  try {
    const cached = lookUp(context, call, text);
    if (!cached) return validateNew(context, call, text, audience);
    return isFor(cached, audience) ? validateVerified(context, call, cached) : Promise.resolve(WRONG_AUDIENCE);
  } catch (error) {
    return Promise.reject(error);
  }
}

const WRONG_AUDIENCE: Validation = { active: false, problem: 'WRONG_AUDIENCE', why: undefined };

const isFor = ({ token }: Verified, audience: string | undefined): boolean =>
  audience === undefined || isForAudience(token, [audience]);

async function validateNew(context: Context, call: Call, text: string, audience?: string): Promise<Validation> {
  try {
    const verified = await verifyAndCache(context, call, text);
    return isFor(verified, audience) ? await validateVerified(context, call, verified) : WRONG_AUDIENCE;
  } catch (error) {
    if (error instanceof TokenRefused) return { active: false, problem: error.problem, why: error.why };
    throw error;
  }
}

function validateVerified(context: Context, call: Call, verified: Verified): Promise<Validation> {
  const { token, storeKeys } = verified;
  return context.store.readAndDecide(storeKeys, (state): Validation | Promise<Validation> => {
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
