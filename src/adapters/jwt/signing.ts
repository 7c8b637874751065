// The signing of tokens by Node's own cryptography. A refresh signs twice.
// jsonwebtoken gives the same results, but checks its options and keys again at each call. Tests compare both, and
// jose.

import { createHmac, type KeyObject, sign } from 'node:crypto';
import type { Algorithm } from './verify/algorithm.js';
import { encodePart } from './verify/compact.js';

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
