// The verification of a token's signature with one key, and then its payload. No claim is checked here.

import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Algorithm } from './algorithm.js';
import { type Compact, decodePart, isUtf8Part, signingInput } from './compact.js';

/** A payload whose signature is good. */
export interface SignedPayload {
  /** Undefined: it is not JSON in UTF-8. */
  readonly payload: unknown;
}

/**
 * Verifies the signature with a key, and decodes the payload. ES256 and RS256 are jsonwebtoken's, HS256 is Node's:
 * jsonwebtoken first parses a payload under `typ: JWT`, so it could not distinguish a bad payload from a bad signature.
 * Tests compare both, and jose.
 * @returns the payload; undefined: the signature is not good
 */
export function verifyAndDecode(token: Compact, algorithm: Algorithm, key: KeyObject): SignedPayload | undefined {
  if (algorithm === 'HS256') return isSignedByHs256(token, key) ? { payload: decodePart(token.payload) } : undefined;
  try {
    const options = { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true };
    // The library has parsed an object. It replaces bytes that are not UTF-8, and hands out all else as a text.
    const payload: unknown = jwt.verify(token.text, key, options);
    const isParsed = typeof payload === 'object' && isUtf8Part(token.payload);
    return { payload: isParsed ? payload : decodePart(token.payload) };
  } catch {
    return undefined;
  }
}

function isSignedByHs256(token: Compact, key: KeyObject): boolean {
  const signature = Buffer.from(token.signature, 'base64url');
  const wanted = createHmac('sha256', key).update(signingInput(token)).digest();
  return signature.length === wanted.length && timingSafeEqual(signature, wanted);
}
