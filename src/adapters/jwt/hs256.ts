// Owns HS256 (RFC 7518, section 3.2), on Node's own HMAC: every refresh pays for it three times. jsonwebtoken comes to the
// same signatures at twice the price to sign and three times to verify, since it reads a token twice before it looks at
// the signature. Tests hold both, and jose, against each other.

import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type Compact, encodePart, signingInput } from './compact.js';

/**
 * @param header the header's JSON, base64url
 * @param payload JSON
 * @returns the token
 */
export function signHs256(header: string, payload: string, key: KeyObject): string {
  const input = `${header}.${encodePart(payload)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

/** Whether the signature is good, whatever the header and the payload say. */
export function isSignedByHs256(token: Compact, key: KeyObject): boolean {
  const signature = Buffer.from(token.signature, 'base64url');
  const wanted = createHmac('sha256', key).update(signingInput(token)).digest();
  return signature.length === wanted.length && timingSafeEqual(signature, wanted);
}
