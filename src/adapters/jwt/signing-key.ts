// A signing key: one algorithm, its two `kid`s, and the refresh secret that is derived from it.
// It makes keys from a shared secret; key-pair.ts makes those from a file.

import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { PublicKey } from '../../core/ports.js';
import type { Algorithm } from './verify/algorithm.js';
import { verifyHs256 } from './verify/hs256.js';
import type { VerifySignature } from './verify/signature.js';

/** A key that signs pairs: access tokens by its own algorithm, refresh tokens by HS256 with the derived secret. */
export interface SigningKey {
  readonly algorithm: Algorithm;
  /** The `kid` of its access tokens. */
  readonly kid: string;
  /** The `kid` of its refresh tokens. Different, so that one `kid` always means one algorithm. */
  readonly refreshKid: string;
  readonly sign: KeyObject;
  readonly verify: VerifySignature;
  readonly refreshSecret: KeyObject;
  /** The public half; undefined for a secret, which has none. */
  readonly publicJwk: PublicKey | undefined;
}

// Only this service reads refresh tokens. They have a secret of their own, derived by HKDF (RFC 5869), so that neither
// a public key nor the signature of an access token is valid for them. A holder of JWT_SECRET can derive it, but under
// HS256 such a holder can issue tokens anyway.
const derive = (material: Uint8Array, info: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', material, Buffer.alloc(0), info, bytes));

export const refreshSecretOf = (material: Uint8Array): KeyObject =>
  createSecretKey(derive(material, 'latchkey refresh v1', 32));

export const refreshKidOf = (kid: string): string => `r.${kid}`;

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
    verify: verifyHs256(key),
    refreshSecret: refreshSecretOf(material),
    publicJwk: undefined,
  };
}
