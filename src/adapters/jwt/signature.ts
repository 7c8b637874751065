// Signatures by Node's own cryptography: signing, and the verification of HS256. A refresh signs twice and verifies once.
// jsonwebtoken gives the same results, but checks its options and keys again at each call, and parses a token twice.
// Tests compare both, and jose.

import { createHmac, type KeyObject, sign, timingSafeEqual } from 'node:crypto';
import { type Compact, encodePart, signingInput } from './compact.js';
import type { Algorithm } from './signing-key.js';

/**
 * Signs a token (RFC 7515, section 5.1; RFC 7518, sections 3.2 to 3.4).
 * @param header the header's JSON, base64url
 * @param payload JSON
 * @returns the token
 */
export function signed(header: string, payload: string, algorithm: Algorithm, key: KeyObject): string {
  const input = `${header}.${encodePart(payload)}`;
  const signature =
    algorithm === 'HS256'
      ? createHmac('sha256', key).update(input).digest('base64url')
      : sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  return `${input}.${signature}`;
}

/** Whether the signature is good, whatever the header and the payload contain. */
export function isSignedByHs256(token: Compact, key: KeyObject): boolean {
  const signature = Buffer.from(token.signature, 'base64url');
  const wanted = createHmac('sha256', key).update(signingInput(token)).digest();
  return signature.length === wanted.length && timingSafeEqual(signature, wanted);
}
