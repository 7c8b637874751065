// A signing key from a PEM file: a key pair, whose public half is in the key set.

import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { refreshKidOf, refreshSecretOf, type SigningKey } from './signing-key.js';
import { algorithmOf } from './verify/algorithm.js';
import { verifyByPublicKey } from './verify/public-key.js';

/**
 * The key in a PEM file: EC on P-256 for ES256, RSA for RS256, in any PEM encoding.
 * @throws Error that names the problem, without any content of the file
 */
export function keyFromPem(pem: string): SigningKey {
  const sign = readPrivateKey(pem);
  const algorithm = algorithmOf(sign);
  const publicKey = createPublicKey(sign);
  const members = publicMembers(publicKey);
  // RFC 7638: the hash of the required public members, in lexicographic order.
  const kid = createHash('sha256').update(JSON.stringify(members)).digest('base64url');
  return {
    algorithm,
    kid,
    refreshKid: refreshKidOf(kid),
    sign,
    verify: verifyByPublicKey(algorithm, publicKey),
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
