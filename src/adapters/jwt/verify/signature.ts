// The verification of a token's signature, whatever its claims say.

import { type KeyObject, timingSafeEqual } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Algorithm } from './algorithm.js';
import { type Compact, signingInput } from './compact.js';
import { hmacSha256 } from './hmac.js';

/**
 * Whether the signature is good. jsonwebtoken verifies ES256 and RS256. Node verifies HS256: jsonwebtoken first parses a
 * payload under `typ: JWT`, so it could not distinguish a bad payload from a bad signature. Tests compare both, and jose.
 */
export function isSigned(token: Compact, algorithm: Algorithm, key: KeyObject): boolean {
  if (algorithm === 'HS256') return isSignedByHs256(token, key);
  try {
    jwt.verify(token.text, key, { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true });
    return true;
  } catch {
    return false;
  }
}

/** Compares the texts: each is the only encoding of its bytes, as `readCompact` has checked of the token's. */
function isSignedByHs256(token: Compact, key: KeyObject): boolean {
  const signature = Buffer.from(token.signature, 'latin1');
  const wanted = Buffer.from(hmacSha256(key, signingInput(token)), 'latin1');
  return signature.length === wanted.length && timingSafeEqual(signature, wanted);
}
