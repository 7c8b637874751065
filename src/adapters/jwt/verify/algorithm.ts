// The signature algorithms, and which of them a key is for.

import type { KeyObject } from 'node:crypto';

export type Algorithm = 'ES256' | 'RS256' | 'HS256';

/** The least modulus of an RSA key, bits (RFC 7518, section 3.3). */
const MIN_RSA_BITS = 2048;

/**
 * The algorithm of an asymmetric key, private or public.
 * @throws Error that says which kind of key it is, and which is wanted
 */
export function algorithmOf(key: KeyObject): Exclude<Algorithm, 'HS256'> {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  if (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) >= MIN_RSA_BITS) return 'RS256';
  const found = [key.asymmetricKeyType, namedCurve, modulusLength && `${modulusLength} bits`].filter(Boolean).join(' ');
  throw new Error(`it contains a key of type ${found}; wanted is EC on P-256 or RSA of at least ${MIN_RSA_BITS} bits`);
}
