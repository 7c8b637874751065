// Validation of many access tokens in one call: the limit, and one result for each token, whatever the others' are.

import type { Context } from '../context.js';
import { InvalidInput, StoreUnavailable } from '../errors.js';
import type { Call } from '../ports.js';
import { type Validation, validate } from './validate.js';

/** The largest number of tokens in one ValidateTokens call. */
export const MAX_TOKENS = 1_000;

/** The result for one token. */
export type BatchResult = Validation | { readonly unavailable: StoreUnavailable };

/** An unexpected error; it fails the whole request. */
export interface UnexpectedError {
  readonly unexpected: unknown;
}

/** @throws InvalidInput if there is no token, or too many */
export function checkCount(count: number): void {
  const field = 'access_tokens';
  if (count === 0) throw new InvalidInput({ field, reason: 'REQUIRED', description: 'must hold at least one token' });
  if (count <= MAX_TOKENS) return;
  throw new InvalidInput({ field, reason: 'TOO_LARGE', description: `must have at most ${MAX_TOKENS} tokens` });
}

/** Validates one access token. Never rejects. @param audience the audience that it must have; undefined: any of ours */
export const validateAmong = (
  context: Context,
  call: Call,
  text: string,
  audience?: string,
): Promise<BatchResult | UnexpectedError> => validate(context, call, text, audience).catch(resultOf);

function resultOf(error: unknown): BatchResult | UnexpectedError {
  if (error instanceof StoreUnavailable) return { unavailable: error };
  // An empty or oversized text is an invalid request in ValidateToken; here it is only this token's result.
  if (error instanceof InvalidInput) return { active: false, problem: 'MALFORMED', why: undefined };
  return { unexpected: error };
}
