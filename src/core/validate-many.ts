// Owns what is different when many access tokens are asked about at once: how many, and that one harms no other.

import type { Context } from './context.js';
import { InvalidInput, StoreUnavailable } from './errors.js';
import { MAX_TOKENS } from './policy.js';
import type { Call } from './ports.js';
import { type Validation, validate } from './validate.js';

/** What can be said of one token among others. */
export type Verdict = Validation | { readonly untold: StoreUnavailable };

/** What nobody foresaw: it is the whole request's affair. */
export interface Fault {
  readonly fault: unknown;
}

/** @throws InvalidInput if there are none, or too many */
export function checkCount(count: number): void {
  const field = 'access_tokens';
  if (count === 0) throw new InvalidInput({ field, reason: 'REQUIRED', description: 'must name a token' });
  if (count <= MAX_TOKENS) return;
  throw new InvalidInput({ field, reason: 'TOO_LARGE', description: `must have at most ${MAX_TOKENS} tokens` });
}

/** Judges one access token among others. Never rejects. */
export const validateAmong = (context: Context, call: Call, text: string): Promise<Verdict | Fault> =>
  validate(context, call, text).catch(verdictOf);

function verdictOf(error: unknown): Verdict | Fault {
  if (error instanceof StoreUnavailable) return { untold: error };
  // Empty or oversized: alone that would be a mistake of the whole request.
  if (error instanceof InvalidInput) return { active: false, problem: 'MALFORMED', why: undefined };
  return { fault: error };
}
