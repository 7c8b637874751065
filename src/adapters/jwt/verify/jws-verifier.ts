// The verification of signatures with a fixed set of keys.
// The `kid` chooses one of our own keys, and the key determines the algorithm; the token's `alg` never does.

import type { KeyObject } from 'node:crypto';
import { TokenRefused } from '../../../core/token/errors.js';
import type { TokenKind } from '../../../core/token/token.js';
import type { KeyUse, VerifiedJws } from '../../../core/token/verified-jws.js';
import type { Algorithm } from './algorithm.js';
import { type Compact, decodePart, readCompact } from './compact.js';
import { headerOf } from './header.js';
import { verifyHs256 } from './hs256.js';
import type { VerifySignature } from './signature.js';

/** A key that verifies tokens of one kind: a public key, or a secret for HS256. */
export interface VerificationKey {
  readonly use: TokenKind;
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly verify: VerifySignature;
}

interface Verifier {
  readonly use: KeyUse;
  readonly kid: string | undefined;
  readonly algorithm: Algorithm;
  readonly verify: VerifySignature;
}

/** A parsed and checked header. */
interface Header {
  readonly typ: unknown;
  /** One verifier; for adopted tokens several, because they do not name the secret that signed them. */
  readonly verifiers: readonly [Verifier, ...Verifier[]];
}

export class JwsVerifier {
  readonly #verifiers = new Map<string, Verifier>();
  readonly #adopted: readonly Verifier[];
  /** The headers of our own tokens by their base64url text. Nearly every token has one of these. */
  readonly #headerCache = new Map<string, Header>();

  /**
   * @param keys our keys; of two with the same `kid` the later one counts
   * @param adopted the secrets of djangorestframework-simplejwt, if its tokens are accepted
   */
  constructor(keys: readonly VerificationKey[], adopted: readonly KeyObject[] = []) {
    this.#adopted = adopted.map((secret) => ({
      use: 'adopted',
      kid: undefined,
      algorithm: 'HS256',
      verify: verifyHs256(secret),
    }));
    for (const each of keys) this.#verifiers.set(each.kid, each);
    for (const { use, kid, algorithm } of keys) {
      const header = headerOf(use, kid, algorithm);
      this.#headerCache.set(header, this.#read(header));
    }
  }

  /**
   * Verifies a token's format and signature. Times and claims are not checked.
   * @throws TokenRefused MALFORMED, UNKNOWN_KEY or BAD_SIGNATURE
   */
  verify(text: string): VerifiedJws {
    const token = readCompact(text);
    if (!token) throw new TokenRefused('MALFORMED', 'not a JWT in compact form');
    const { typ, verifiers } = this.#headerCache.get(token.header) ?? this.#read(token.header);
    const [{ use, kid }] = verifiers;
    return { use, kid, typ, payload: verifiedPayload(token, verifiers) };
  }

  /** Whether tokens signed by a key are accepted. */
  accepts(kid: string): boolean {
    return this.#verifiers.has(kid);
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

/** The payload, once one of the keys has verified the signature. */
function verifiedPayload(token: Compact, verifiers: Header['verifiers']): unknown {
  for (const { verify } of verifiers) {
    const signed = verify(token);
    if (!signed) continue;
    if (signed.payload === undefined) throw new TokenRefused('MALFORMED', 'the payload is not a JSON object');
    return signed.payload;
  }
  throw new TokenRefused('BAD_SIGNATURE', 'the signature is not good');
}
