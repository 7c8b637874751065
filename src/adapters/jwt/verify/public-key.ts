// The verification of signatures under ES256 and RS256, by jsonwebtoken.
// It is a file of its own, so that a service without such keys does not load that package: a tenth of its start.

import type { KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Algorithm } from './algorithm.js';
import { decodePart, isUtf8Part } from './compact.js';
import type { VerifySignature } from './signature.js';

export function verifyByPublicKey(algorithm: Exclude<Algorithm, 'HS256'>, key: KeyObject): VerifySignature {
  const options: jwt.VerifyOptions = { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true };
  return (token) => {
    try {
      // The library has parsed an object. It replaces bytes that are not UTF-8, and hands out all else as a text.
      const payload: unknown = jwt.verify(token.text, key, options);
      const isParsed = typeof payload === 'object' && isUtf8Part(token.payload);
      return { payload: isParsed ? payload : decodePart(token.payload) };
    } catch {
      return undefined;
    }
  };
}
