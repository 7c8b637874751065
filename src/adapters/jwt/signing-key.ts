// A signing key: one algorithm, its two `kid`s, and the refresh secret that is derived from it.

import { createHash, createPrivateKey, createPublicKey, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { PublicKey } from '../../core/ports.js';
import { type Algorithm, algorithmOf } from './verify/algorithm.js';

/** A key that signs pairs: access tokens by its own algorithm, refresh tokens by HS256 with the derived secret. */
export interface SigningKey {
  readonly algorithm: Algorithm;
  /** The `kid` of its access tokens. */
  readonly kid: string;
  /** The `kid` of its refresh tokens. Different, so that one `kid` always means one algorithm. */
  readonly refreshKid: string;
  readonly sign: KeyObject;
  readonly verify: KeyObject;
  readonly refreshSecret: KeyObject;
  /** The public half; undefined for a secret, which has none. */
  readonly publicJwk: PublicKey | undefined;
}

// Only this service reads refresh tokens. They have a secret of their own, derived by HKDF (RFC 5869), so that neither
// a public key nor the signature of an access token is valid for them. A holder of JWT_SECRET can derive it, but under
// HS256 such a holder can issue tokens anyway.
const derive = (material: Uint8Array, info: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', material, Buffer.alloc(0), info, bytes));

const refreshSecretOf = (material: Uint8Array): KeyObject =>
  createSecretKey(derive(material, 'latchkey refresh v1', 32));

const refreshKidOf = (kid: string): string => `r.${kid}`;

/** The key for a shared secret. Its `kid` is derived from the secret, and reveals nothing about it. */
export function keyFromSecret(secret: string): SigningKey {
  const material = Buffer.from(secret, 'utf8');
  const kid = `h.${derive(material, 'latchkey kid v1', 16).toString('base64url')}`;
  const key = createSecretKey(material);
  return {
    algorithm: 'HS256',
    kid,
    refreshKid: refreshKidOf(kid),
    sign: key,
    verify: key,
    refreshSecret: refreshSecretOf(material),
    publicJwk: undefined,
  };
}

/**
 * The key in a PEM file: EC on P-256 for ES256, RSA for RS256, in any PEM encoding.
 * @throws Error that names the problem, without any content of the file
 */
export function keyFromPem(pem: string): SigningKey {
  const sign = readPrivateKey(pem);
  const algorithm = algorithmOf(sign);
  const verify = createPublicKey(sign);
  const members = publicMembers(verify);
  // RFC 7638: the hash of the required public members, in lexicographic order.
  const kid = createHash('sha256').update(JSON.stringify(members)).digest('base64url');
  return {
    algorithm,
    kid,
    refreshKid: refreshKidOf(kid),
    sign,
    verify,
    refreshSecret: refreshSecretOf(Buffer.from(sign.export({ format: 'jwk' }).d ?? '', 'base64url')),
    publicJwk: { ...members, use: 'sig', alg: algorithm, kid },
  };
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error('it contains no unencrypted private key in PEM form');
  }
}

/**
 * The required members of the key type (RFC 7638, section 3.2), in order, each by name, so that no private one leaks.
 */
function publicMembers(key: KeyObject) {
  const { kty = '', crv = '', x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' });
  return kty === 'EC' ? { crv, kty, x, y } : { e, kty, n };
}
