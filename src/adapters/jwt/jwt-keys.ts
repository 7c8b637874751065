// Owns signing and the check of signatures, on jsonwebtoken. Keys are chosen by `kid` from our own, and never by what
// a token says of its algorithm.

import { createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { typOf } from '../../core/claims.js';
import { TokenRefused } from '../../core/errors.js';
import type { Keys, KeyUse, Opened } from '../../core/ports.js';
import { readHeader } from './compact.js';
import type { Algorithm, SigningKey } from './signing-key.js';

interface Verifier {
  readonly use: KeyUse;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

export class JwtKeys implements Keys {
  readonly signingKid: string;
  readonly #signers = new Map<string, SigningKey>();
  readonly #verifiers = new Map<string, Verifier>();
  readonly #adopted: Verifier | undefined;
  readonly #signing: SigningKey;

  /**
   * @param signing signs new pairs
   * @param others verify, and sign a retry of what they signed before
   * @param adopted the secret of djangorestframework-simplejwt, where its tokens are taken over
   */
  constructor(signing: SigningKey, others: readonly SigningKey[] = [], adopted?: KeyObject) {
    this.#signing = signing;
    this.signingKid = signing.kid;
    for (const key of [...others, signing]) {
      this.#signers.set(key.kid, key);
      this.#verifiers.set(key.kid, { use: 'access', algorithm: key.algorithm, key: key.verify });
      this.#verifiers.set(key.refreshKid, { use: 'refresh', algorithm: 'HS256', key: key.refreshSecret });
    }
    this.#adopted = adopted && { use: 'adopted', algorithm: 'HS256', key: adopted };
  }

  open(token: string): Opened {
    const header = readHeader(token);
    if (!header) throw new TokenRefused('MALFORMED', 'not a JWT in compact form');
    const verifier = this.#verifierOf(header);
    if (header['alg'] !== verifier.algorithm) {
      throw new TokenRefused('BAD_SIGNATURE', 'the algorithm is not the one of the key');
    }
    // RFC 7515, section 4.1.11: an extension that is marked critical and not understood makes the token invalid.
    if (Object.hasOwn(header, 'crit')) throw new TokenRefused('MALFORMED', 'no critical extension is supported');
    return { use: verifier.use, typ: header['typ'], payload: verified(token, verifier) };
  }

  seal(use: 'access' | 'refresh', claims: Readonly<Record<string, unknown>>, kid: string): string {
    const key = this.#signers.get(kid) ?? this.#signing;
    const access = use === 'access';
    const algorithm = access ? key.algorithm : 'HS256';
    // As text: of an object the library reads claims named `toString` or `constructor` as rules of its own, and fails.
    return jwt.sign(JSON.stringify(claims), access ? key.sign : key.refreshSecret, {
      algorithm,
      keyid: access ? key.kid : key.refreshKid,
      header: { alg: algorithm, typ: typOf(use) },
    });
  }

  #verifierOf(header: Readonly<Record<string, unknown>>): Verifier {
    const kid = Object.hasOwn(header, 'kid') ? header['kid'] : undefined;
    // simplejwt's tokens are told by their form, before any claim is looked at: claims must not choose the key.
    if (kid === undefined && this.#adopted && header['typ'] === 'JWT') return this.#adopted;
    if (kid !== undefined && typeof kid !== 'string') throw new TokenRefused('MALFORMED', 'the kid is not a string');
    const verifier = kid === undefined ? undefined : this.#verifiers.get(kid);
    if (!verifier) throw new TokenRefused('UNKNOWN_KEY', 'the token names no key of ours');
    return verifier;
  }
}

/** The payload of a token with a good signature. Times are the core's business, with the store's clock. */
function verified(token: string, { key, algorithm }: Verifier): unknown {
  try {
    return jwt.verify(token, key, { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true });
  } catch {
    // The library reads the payload before it looks at the signature, and fails on one that is no object.
    if (isSigned(token, algorithm, key)) throw new TokenRefused('MALFORMED', 'the payload is not a JSON object');
    throw new TokenRefused('BAD_SIGNATURE', 'the signature is not good');
  }
}

/** Whether the signature is good, whatever the payload; asked only for the reason of a refusal. */
function isSigned(token: string, algorithm: Algorithm, key: KeyObject): boolean {
  const dot = token.lastIndexOf('.');
  const input = Buffer.from(token.slice(0, dot));
  const signature = Buffer.from(token.slice(dot + 1), 'base64url');
  if (algorithm !== 'HS256') return verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature);
  const wanted = createHmac('sha256', key).update(input).digest();
  return signature.length === wanted.length && timingSafeEqual(signature, wanted);
}
