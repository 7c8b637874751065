// Owns what a signing key is: one algorithm, its names, and the refresh secret that is derived from it.

import { createHash, createPrivateKey, createPublicKey, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { PublicKey } from '../../core/ports.js';

export type Algorithm = 'ES256' | 'RS256' | 'HS256';

/** A key that signs pairs: access tokens by its own algorithm, refresh tokens by HS256 with a secret of their own. */
export interface SigningKey {
  readonly algorithm: Algorithm;
  /** The `kid` of its access tokens. */
  readonly kid: string;
  /** The `kid` of its refresh tokens: another one, so that a `kid` names one algorithm. */
  readonly refreshKid: string;
  readonly sign: KeyObject;
  readonly verify: KeyObject;
  readonly refreshSecret: KeyObject;
  /** What everybody may see; undefined for a secret, of which that is nothing. */
  readonly publicJwk: PublicKey | undefined;
}

/** The least modulus of an RSA key, bits (RFC 7518, section 3.3). */
const MIN_RSA_BITS = 2048;

// Nobody but us reads refresh tokens. With a secret of their own, by HKDF (RFC 5869), a public key cannot be taken for
// theirs, nor an access token's signature. Who has JWT_SECRET itself can derive it: he is an issuer under HS256.
const derive = (material: Uint8Array, info: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', material, Buffer.alloc(0), info, bytes));

const refreshSecretOf = (material: Uint8Array): KeyObject =>
  createSecretKey(derive(material, 'latchkey refresh v1', 32));

const refreshKidOf = (kid: string): string => `r.${kid}`;

/** The key that a shared secret is. Its name comes from the secret, but tells nothing of it. */
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
 * The key in a PEM file: EC on P-256 for ES256, RSA for RS256. How the PEM is encoded makes no difference.
 * @throws Error that says what is wrong with it, without any of its content
 */
export function keyFromPem(pem: string): SigningKey {
  const sign = readPrivateKey(pem);
  const algorithm = algorithmOf(sign);
  const verify = createPublicKey(sign);
  const members = publicMembers(verify);
  // RFC 7638: the hash of the required public members, which are in order here.
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

function algorithmOf(key: KeyObject): Algorithm {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  if (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) >= MIN_RSA_BITS) return 'RS256';
  const found = [key.asymmetricKeyType, namedCurve, modulusLength && `${modulusLength} bits`].filter(Boolean).join(' ');
  throw new Error(`it holds a key of the kind ${found}; wanted is EC on P-256 or RSA of at least ${MIN_RSA_BITS} bits`);
}

/** The members that a key of its kind must have (RFC 7638, section 3.2), in order; each by name, so that no other comes along. */
function publicMembers(key: KeyObject) {
  const { kty = '', crv = '', x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' });
  return kty === 'EC' ? { crv, kty, x, y } : { e, kty, n };
}
