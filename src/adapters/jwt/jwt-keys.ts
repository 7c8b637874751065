// Signing and signature verification with a fixed set of keys. The `kid` chooses one of our own keys, and the key
// determines the algorithm; the token's `alg` never does.

import type { KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { typOf } from '../../core/claims.js';
import { TokenRefused } from '../../core/errors.js';
import type { Keys, KeyUse, Opened, PublicKey } from '../../core/ports.js';
import { type Compact, decodePart, encodePart, readCompact } from './compact.js';
import { isSignedByHs256, signed } from './signature.js';
import type { Algorithm, SigningKey } from './signing-key.js';

interface Verifier {
  readonly use: KeyUse;
  readonly kid: string | undefined;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

interface Signer {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
  /** Base64url. */
  readonly header: string;
}

type Signers = Readonly<Record<'access' | 'refresh', Signer>>;

/** A parsed and checked header. */
interface Header {
  readonly typ: unknown;
  /** One verifier; for adopted tokens several, because they do not name the secret that signed them. */
  readonly verifiers: readonly [Verifier, ...Verifier[]];
}

export class JwtKeys implements Keys {
  readonly signingKid: string;
  readonly delayMs = 0;
  readonly #signers = new Map<string, Signers>();
  readonly #signing: Signers;
  readonly #verifiers = new Map<string, Verifier>();
  readonly #adopted: readonly Verifier[];
  readonly #publicJwk: readonly PublicKey[];
  /** The headers of our own tokens by their base64url text. Nearly every token has one of these. */
  readonly #headerCache = new Map<string, Header>();

  /**
   * @param signing signs new pairs
   * @param others verify, and sign the replay of a pair that they signed before
   * @param adopted the secrets of djangorestframework-simplejwt, if its tokens are accepted
   */
  constructor(signing: SigningKey, others: readonly SigningKey[] = [], ...adopted: readonly KeyObject[]) {
    this.signingKid = signing.kid;
    this.#adopted = adopted.map((key) => ({ use: 'adopted', kid: undefined, algorithm: 'HS256', key }));
    const all = [...others, signing];
    this.#signing = signersOf(signing);
    for (const each of all) {
      const { kid, refreshKid, algorithm, verify, refreshSecret } = each;
      const signers = signersOf(each);
      this.#signers.set(kid, signers);
      this.#verifiers.set(kid, { use: 'access', kid, algorithm, key: verify });
      this.#verifiers.set(refreshKid, { use: 'refresh', kid: refreshKid, algorithm: 'HS256', key: refreshSecret });
      for (const { header } of [signers.access, signers.refresh]) this.#headerCache.set(header, this.#read(header));
    }
    this.#publicJwk = all.flatMap(({ publicJwk }) => (publicJwk ? [publicJwk] : []));
  }

  open(text: string): Opened {
    const token = readCompact(text);
    if (!token) throw new TokenRefused('MALFORMED', 'not a JWT in compact form');
    const { typ, verifiers } = this.#headerCache.get(token.header) ?? this.#read(token.header);
    const [{ use, kid }] = verifiers;
    return { use, kid, typ, payload: verified(token, verifiers) };
  }

  seal(use: 'access' | 'refresh', claims: Readonly<Record<string, unknown>>, kid: string): string {
    const { header, algorithm, key } = (this.#signers.get(kid) ?? this.#signing)[use];
    return signed(header, JSON.stringify(claims), algorithm, key);
  }

  verifies(kid: string): boolean {
    return this.#verifiers.has(kid);
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

  /** @throws TokenRefused if none of our keys can have signed a token with this header */
  #read(text: string): Header {
    const parsed = decodePart(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      throw new TokenRefused('MALFORMED', 'not a JWT in compact form');
    }
    const header = parsed as Readonly<Record<string, unknown>>;
    const verifiers = this.#verifiersOf(header);
    if (header['alg'] !== verifiers[0].algorithm) {
      throw new TokenRefused('BAD_SIGNATURE', 'the algorithm is not the one of the key');
    }
    // RFC 7515, section 4.1.11: a critical extension that is not supported makes the token invalid.
    if (Object.hasOwn(header, 'crit')) throw new TokenRefused('MALFORMED', 'no critical extension is supported');
    return { typ: header['typ'], verifiers };
  }

  #verifiersOf(header: Readonly<Record<string, unknown>>): Header['verifiers'] {
    const kid = Object.hasOwn(header, 'kid') ? header['kid'] : undefined;
    // The header alone identifies tokens of simplejwt: a claim must never choose the key.
    const [secret, ...more] = this.#adopted;
    if (kid === undefined && secret && header['typ'] === 'JWT') return [secret, ...more];
    if (kid !== undefined && typeof kid !== 'string') throw new TokenRefused('MALFORMED', 'the kid is not a string');
    const verifier = kid === undefined ? undefined : this.#verifiers.get(kid);
    if (!verifier) throw new TokenRefused('UNKNOWN_KEY', 'the token names no key of ours');
    return [verifier];
  }
}

function signerOf(use: 'access' | 'refresh', kid: string, algorithm: Algorithm, key: KeyObject): Signer {
  return { algorithm, key, header: encodePart(JSON.stringify({ alg: algorithm, typ: typOf(use), kid })) };
}

const signersOf = ({ kid, refreshKid, algorithm, sign, refreshSecret }: SigningKey): Signers => ({
  access: signerOf('access', kid, algorithm, sign),
  refresh: signerOf('refresh', refreshKid, 'HS256', refreshSecret),
});

/** The payload, once one of the keys has verified the signature. The core checks the times, by the store's clock. */
function verified(token: Compact, verifiers: Header['verifiers']): unknown {
  if (!verifiers.some((each) => isSigned(token, each))) {
    throw new TokenRefused('BAD_SIGNATURE', 'the signature is not good');
  }
  const payload = decodePart(token.payload);
  if (payload === undefined) throw new TokenRefused('MALFORMED', 'the payload is not a JSON object');
  return payload;
}

/**
 * Whether the signature is good. jsonwebtoken verifies ES256 and RS256. Node verifies HS256: jsonwebtoken first parses a
 * payload under `typ: JWT`, so it could not distinguish a bad payload from a bad signature.
 */
function isSigned(token: Compact, { algorithm, key }: Verifier): boolean {
  if (algorithm === 'HS256') return isSignedByHs256(token, key);
  try {
    jwt.verify(token.text, key, { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true });
    return true;
  } catch {
    return false;
  }
}
