// Owns the way from a token's text to an authentic token: the bounds of the input, the signature, the claims.

import type { Context } from './context.js';
import { InvalidInput, TokenRefused } from './errors.js';
import { MAX_TOKEN_BYTES } from './policy.js';
import type { Call, Keys, Opened } from './ports.js';
import { readToken } from './read-token.js';
import type { Token, TokenKind } from './token.js';

/**
 * Says nothing about whether the token stands.
 * @throws InvalidInput for an empty or oversized text, TokenRefused for one that is not authentic or not of the kind
 */
export async function authenticate(
  { keys, policy, crypto }: Context,
  call: Call,
  kind: TokenKind,
  text: string,
): Promise<Token> {
  const field = `${kind}_token`;
  if (text === '') throw new InvalidInput({ field, reason: 'REQUIRED', description: 'must not be empty' });
  // Before any parsing: what is refused here has cost nothing. Characters will do: a token in good form is ASCII.
  if (text.length > MAX_TOKEN_BYTES) {
    throw new InvalidInput({ field, reason: 'TOO_LARGE', description: `must have at most ${MAX_TOKEN_BYTES} bytes` });
  }
  const token = readToken(await open(keys, text), kind, policy, crypto);
  tell(call, token);
  return token;
}

/** For the log. simplejwt's two tokens have ids of their own: the access token's leads to no session. */
export const tell = (call: Call, token: Token): void => {
  if (!(token.adopted && token.kind === 'access')) call.concerns(token.sessionId);
};

/** Opens a token. One whose key is unknown may be of a key that another node has noticed sooner than this one. */
async function open(keys: Keys, text: string): Promise<Opened> {
  try {
    return keys.open(text);
  } catch (error) {
    if (!(error instanceof TokenRefused && error.problem === 'UNKNOWN_KEY')) throw error;
    if (!(await keys.rescan())) throw error;
    return keys.open(text);
  }
}
