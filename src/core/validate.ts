// Validation of an access token: whether it is active now.

import { confirmDenial } from './confirm-denial.js';
import type { Context } from './context.js';
import { refusal, type TokenProblem, TokenRefused } from './errors.js';
import type { Call } from './ports.js';
import { learn, recall } from './recall.js';
import { denial, readStanding, whyDenied } from './standing.js';
import type { Verified } from './verified.js';

export type Validation =
  | { readonly active: true; readonly verified: Verified }
  | { readonly active: false; readonly problem: TokenProblem; readonly why: string | undefined };

/**
 * Decides whether an access token is active.
 * @throws StoreUnavailable if that cannot be determined
 */
export async function validate(context: Context, call: Call, text: string): Promise<Validation> {
  try {
    const verified = recall(context, call, text) ?? (await learn(context, call, text));
    const { token, place } = verified;
    const standing = await readStanding(context, place);
    const denied = denial(token, standing);
    if (!denied) return { active: true, verified };
    if (denied === 'lost') {
      const { subject, sessionId, generation } = token;
      call.audit({ event: 'session_lost', subject, sessionId, generation });
    }
    await confirmDenial(context, token, standing, denied);
    throw refusal('REVOKED', whyDenied(denied, standing));
  } catch (error) {
    if (error instanceof TokenRefused) return { active: false, problem: error.problem, why: error.why };
    throw error;
  }
}
