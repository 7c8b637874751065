// The verification of a token's signature, whatever its claims say.

import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Algorithm } from './algorithm.js';
import { type Compact, signingInput } from './compact.js';

/**
 * Whether the signature is good. jsonwebtoken verifies ES256 and RS256. Node verifies HS256: jsonwebtoken first parses
 * a payload under `typ: JWT`, so it could not distinguish a bad payload from a bad signature. Tests compare both, and
 * jose.
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

function isSignedByHs256(token: Compact, key: KeyObject): boolean {
  const signature = Buffer.from(token.signature, 'base64url');
  const wanted = createHmac('sha256', key).update(signingInput(token)).digest();
  return signature.length === wanted.length && timingSafeEqual(signature, wanted);
}
