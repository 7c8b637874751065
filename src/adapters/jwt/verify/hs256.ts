// The verification of signatures under HS256, by Node's own cryptography.
// jsonwebtoken first parses a payload under `typ: JWT`, so it could not distinguish a bad payload from a bad signature.
// Tests compare both, and jose.

import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { decodePart, signingInput } from './compact.js';
import type { VerifySignature } from './signature.js';

export const verifyHs256 =
  (secret: KeyObject): VerifySignature =>
  (token) => {
    const signature = Buffer.from(token.signature, 'base64url');
    const wanted = createHmac('sha256', secret).update(signingInput(token)).digest();
    const isGood = signature.length === wanted.length && timingSafeEqual(signature, wanted);
    return isGood ? { payload: decodePart(token.payload) } : undefined;
  };
