// Owns the answer to "does this access token stand now?".

import { authenticate } from './authenticate.js';
import { type Context, nowFor } from './context.js';
import { refusal, type TokenProblem, TokenRefused } from './errors.js';
import type { Call } from './ports.js';
import { denial, readStanding, whyDenied } from './standing.js';
import { endsAtMs, type Token, timing } from './token.js';

export type Validation =
  | { readonly active: true; readonly token: Token /** Unix seconds. */; readonly endsAt: number }
  | { readonly active: false; readonly problem: TokenProblem; readonly why: string | undefined };

/**
 * Judges an access token.
 * @throws StoreUnavailable when it cannot be told: that is neither active nor not
 */
export async function validate(context: Context, call: Call, text: string): Promise<Validation> {
  try {
    const token = await standingToken(context, call, text);
    return { active: true, token, endsAt: Math.floor(endsAtMs(token, context.policy) / 1000) };
  } catch (error) {
    if (error instanceof TokenRefused) return { active: false, problem: error.problem, why: error.why };
    throw error;
  }
}

async function standingToken(context: Context, call: Call, text: string): Promise<Token> {
  const token = await authenticate(context, call, 'access', text);
  const early = timing(token, context.policy, nowFor(context, token.subject));
  if (early) throw refusal(early);
  const standing = await readStanding(context, token.subject, token.sessionId);
  const denied = denial(token, standing);
  if (!denied) return token;
  if (denied === 'lost') {
    const { subject, sessionId, generation } = token;
    call.audit({ event: 'session_lost', subject, sessionId, generation });
  }
  throw refusal('REVOKED', whyDenied(denied, standing));
}
