// Authentication of a token: size limits, signature, claims. Revocation is checked elsewhere.

import type { Context } from '../context.js';
import { InvalidInput } from '../errors.js';
import type { Call, Keys } from '../ports.js';
import { TokenRefused } from '../token/errors.js';
import { readToken } from '../token/read-token.js';
import { MAX_TOKEN_BYTES } from '../token/rules.js';
import { namesSession, type Token, type TokenKind } from '../token/token.js';
import type { VerifiedJws } from '../token/verified-jws.js';

/**
 * Verifies a token's text. The result may still be expired or revoked.
 * @throws InvalidInput for an empty or oversized text, TokenRefused for one that is not authentic or of another kind
 */
export async function authenticate(
  { keys, policy, crypto }: Context,
  call: Call,
  kind: TokenKind,
  text: string,
): Promise<Token> {
  const field = `${kind}_token`;
  if (text === '') throw new InvalidInput({ field, reason: 'REQUIRED', description: 'must not be empty' });
  // Checked before any parsing, so that a refusal costs nothing. Characters equal bytes: a well-formed token is ASCII.
  if (text.length > MAX_TOKEN_BYTES) {
    throw new InvalidInput({ field, reason: 'TOO_LARGE', description: `must have at most ${MAX_TOKEN_BYTES} bytes` });
  }
  const token = readToken(await verify(keys, text), kind, policy, crypto);
  if (namesSession(token)) call.setSessionId(token.sessionId);
  return token;
}

/** Verifies a signature. If the key is unknown, rescans once: another node may have loaded a new key sooner. */
async function verify(keys: Keys, text: string): Promise<VerifiedJws> {
  try {
    return keys.verify(text);
  } catch (error) {
    if (!(error instanceof TokenRefused && error.problem === 'UNKNOWN_KEY')) throw error;
    if (!(await keys.rescan())) throw error;
    return keys.verify(text);
  }
}
