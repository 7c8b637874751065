// The signing keys of a process, a fixed set: they sign new pairs, and verify every token.

import type { KeyObject } from 'node:crypto';
import type { Keys, PublicKey } from '../../core/ports.js';
import { INTROSPECTION_TYP } from '../../core/token/introspection.js';
import type { VerifiedJws } from '../../core/token/verified-jws.js';
import { signed } from './signing.js';
import type { SigningKey } from './signing-key.js';
import type { Algorithm } from './verify/algorithm.js';
import { headerOf, headerWith } from './verify/header.js';
import { verifyHs256 } from './verify/hs256.js';
import { JwsVerifier, type VerificationKey } from './verify/jws-verifier.js';

interface Signer {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
  /** Base64url. */
  readonly header: string;
}

type Signers = Readonly<Record<'access' | 'refresh', Signer>>;

export class JwtKeys implements Keys {
  readonly signingKid: string;
  readonly delayMs = 0;
  readonly #signers: ReadonlyMap<string, Signers>;
  readonly #signing: Signers;
  readonly #verifier: JwsVerifier;
  readonly #publicJwk: readonly PublicKey[];
  /** The keys that can sign for others, by their `kid`: those with a public half. */
  readonly #asymmetric: ReadonlyMap<string, SigningKey>;

  /**
   * @param signing signs new pairs
   * @param others verify, and sign the replay of a pair that they signed before
   * @param adopted the secrets of djangorestframework-simplejwt, if its tokens are accepted
   */
  constructor(signing: SigningKey, others: readonly SigningKey[] = [], ...adopted: readonly KeyObject[]) {
    const all = [...others, signing];
    this.signingKid = signing.kid;
    this.#signing = signersOf(signing);
    this.#signers = new Map(all.map((key) => [key.kid, signersOf(key)]));
    this.#verifier = new JwsVerifier(all.flatMap(verificationKeysOf), adopted);
    this.#asymmetric = new Map(all.filter(({ publicJwk }) => publicJwk).map((key) => [key.kid, key]));
    this.#publicJwk = all.flatMap(({ publicJwk }) => (publicJwk ? [publicJwk] : []));
  }

  verify(text: string): VerifiedJws {
    return this.#verifier.verify(text);
  }

  sign(use: 'access' | 'refresh', claims: Readonly<Record<string, unknown>>, kid: string): string {
    const { header, algorithm, key } = (this.#signers.get(kid) ?? this.#signing)[use];
    return signed(header, JSON.stringify(claims), algorithm, key);
  }

  /** @param signingKid the key that signs */
  signIntrospection(claims: Readonly<Record<string, unknown>>, signingKid = this.signingKid): string | undefined {
    const found = this.#asymmetric.get(signingKid);
    if (!found) return undefined;
    const { kid, algorithm, sign } = found;
    return signed(headerWith(INTROSPECTION_TYP, kid, algorithm), JSON.stringify(claims), algorithm, sign);
  }

  accepts(kid: string): boolean {
    return this.#verifier.accepts(kid);
  }

  /** Whether a key can sign and verify. */
  has(kid: string): boolean {
    return this.#signers.has(kid);
  }

  publicKeys(): readonly PublicKey[] {
    return this.#publicJwk;
  }

  /** The set of keys is fixed, so there is nothing to look for. */
  rescan(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

const signersOf = ({ kid, refreshKid, algorithm, sign, refreshSecret }: SigningKey): Signers => ({
  access: { algorithm, key: sign, header: headerOf('access', kid, algorithm) },
  refresh: { algorithm: 'HS256', key: refreshSecret, header: headerOf('refresh', refreshKid, 'HS256') },
});

const verificationKeysOf = ({
  kid,
  refreshKid,
  algorithm,
  verify,
  refreshSecret,
}: SigningKey): readonly VerificationKey[] => [
  { use: 'access', kid, algorithm, verify },
  { use: 'refresh', kid: refreshKid, algorithm: 'HS256', verify: verifyHs256(refreshSecret) },
];
