// Owns signing and the check of signatures, on jsonwebtoken, by a set of keys that stays as it is. Keys are chosen by
// `kid` from our own, and never by what a token says of its algorithm.

import { createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { typOf } from '../../core/claims.js';
import { TokenRefused } from '../../core/errors.js';
import type { Keys, KeyUse, Opened, PublicKey } from '../../core/ports.js';
import { readHeader } from './compact.js';
import type { Algorithm, SigningKey } from './signing-key.js';

interface Verifier {
  readonly use: KeyUse;
  readonly kid: string | undefined;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

export class JwtKeys implements Keys {
  readonly signingKid: string;
  readonly delayMs = 0;
  readonly #signers = new Map<string, SigningKey>();
  readonly #verifiers = new Map<string, Verifier>();
  readonly #adopted: readonly Verifier[];
  readonly #signing: SigningKey;

  /**
   * @param signing signs new pairs
   * @param others verify, and sign a retry of what they signed before
   * @param adopted the secrets of djangorestframework-simplejwt, where its tokens are taken over
   */
  constructor(signing: SigningKey, others: readonly SigningKey[] = [], ...adopted: readonly KeyObject[]) {
    this.#signing = signing;
    this.signingKid = signing.kid;
    for (const key of [...others, signing]) {
      this.#signers.set(key.kid, key);
      const { kid, refreshKid, algorithm } = key;
      this.#verifiers.set(kid, { use: 'access', kid, algorithm, key: key.verify });
      this.#verifiers.set(refreshKid, { use: 'refresh', kid: refreshKid, algorithm: 'HS256', key: key.refreshSecret });
    }
    this.#adopted = adopted.map((key) => ({ use: 'adopted', kid: undefined, algorithm: 'HS256', key }));
  }

  open(token: string): Opened {
    const header = readHeader(token);
    if (!header) throw new TokenRefused('MALFORMED', 'not a JWT in compact form');
    const [verifier, ...more] = this.#verifiersOf(header);
    if (header['alg'] !== verifier.algorithm) {
      throw new TokenRefused('BAD_SIGNATURE', 'the algorithm is not the one of the key');
    }
    // RFC 7515, section 4.1.11: an extension that is marked critical and not understood makes the token invalid.
    if (Object.hasOwn(header, 'crit')) throw new TokenRefused('MALFORMED', 'no critical extension is supported');
    return { use: verifier.use, kid: verifier.kid, typ: header['typ'], payload: verified(token, verifier, more) };
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

  verifies(kid: string): boolean {
    return this.#verifiers.has(kid);
  }

  /** Whether it can sign with a key, and check what that has signed. */
  has(kid: string): boolean {
    return this.#signers.has(kid);
  }

  publicKeys(): readonly PublicKey[] {
    return [...this.#signers.values()].flatMap(({ shown }) => (shown ? [shown] : []));
  }

  /** There is nothing to look at. */
  rescan(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** The keys that a token may be signed with: one, but for adopted tokens, which do not say under which secret. */
  #verifiersOf(header: Readonly<Record<string, unknown>>): readonly [Verifier, ...Verifier[]] {
    const kid = Object.hasOwn(header, 'kid') ? header['kid'] : undefined;
    // simplejwt's tokens are told by their form, before any claim is looked at: claims must not choose the key.
    const [secret, ...more] = this.#adopted;
    if (kid === undefined && secret && header['typ'] === 'JWT') return [secret, ...more];
    if (kid !== undefined && typeof kid !== 'string') throw new TokenRefused('MALFORMED', 'the kid is not a string');
    const verifier = kid === undefined ? undefined : this.#verifiers.get(kid);
    if (!verifier) throw new TokenRefused('UNKNOWN_KEY', 'the token names no key of ours');
    return [verifier];
  }
}

/** The payload of a token with a good signature by one of the keys. Times are the core's business, with the store's clock. */
function verified(token: string, { key, algorithm }: Verifier, [next, ...more]: readonly Verifier[]): unknown {
  try {
    return jwt.verify(token, key, { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true });
  } catch {
    // The library reads the payload before it looks at the signature, and fails on one that is no object.
    if (isSigned(token, algorithm, key)) throw new TokenRefused('MALFORMED', 'the payload is not a JSON object');
    if (next) return verified(token, next, more);
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
