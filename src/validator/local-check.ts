// The checks of a token that need no call: format, signature, claims, issuer and audience, by the rules of the service.

import { decodePart } from '../adapters/jwt/verify/compact.js';
import type { JwsVerifier } from '../adapters/jwt/verify/jws-verifier.js';
import { otherClaims } from '../core/token/claims.js';
import { type TokenProblem, TokenRefused } from '../core/token/errors.js';
import { readToken } from '../core/token/read-token.js';
import { MAX_TOKEN_BYTES, type TokenRules } from '../core/token/rules.js';
import { type Token, timing } from '../core/token/token.js';
import type { Sha256, VerifiedJws } from '../core/token/verified-jws.js';

export type Claims = Readonly<Record<string, unknown>>;

/**
 * What is known of a token without a call: why it is refused; or that it is authentic; or neither, with whether newer
 * keys may help.
 */
export type Check =
  | { readonly refused: TokenProblem }
  | { readonly token: Token }
  | { readonly token: undefined; readonly needsKeys: boolean };

const ASK: Check = { token: undefined, needsKeys: false };
const ASK_AND_FETCH: Check = { token: undefined, needsKeys: true };
const MALFORMED: Check = { refused: 'MALFORMED' };

/** Only adopted tokens need a hash, and no public key verifies those. */
const NO_HASH: Sha256 = {
  sha256: () => {
    throw new Error('an adopted token cannot be verified by a public key');
  },
};

/** The service's settings for lifetimes are not known here, so only `exp` counts. */
export const rulesFor = (issuer: string | undefined, audience: readonly string[]): TokenRules => ({
  accessTtlMs: Number.POSITIVE_INFINITY,
  refreshTtlMs: Number.POSITIVE_INFINITY,
  sessionMaxMs: Number.POSITIVE_INFINITY,
  toleranceMs: 0,
  issuer,
  audience,
  subjectClaim: 'sub',
  adopts: false,
});

export class LocalCheck {
  readonly #rules: TokenRules;

  constructor(rules: TokenRules) {
    this.#rules = rules;
  }

  /**
   * Checks a token whose state is not remembered.
   * @param keys the keys that may be used now; none: only the format is checked
   * @param passedMs a time that has certainly passed, Unix ms
   */
  check(text: string, keys: JwsVerifier, passedMs: number): Check {
    if (text === '' || text.length > MAX_TOKEN_BYTES) return MALFORMED;
    try {
      return this.checkTime(readToken(keys.verify(text), 'access', this.#rules, NO_HASH), passedMs);
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error;
      if (error.problem !== 'UNKNOWN_KEY') return { refused: error.problem };
      return mayGetPublicKey(text) ? ASK_AND_FETCH : ASK;
    }
  }

  /** Checks an authentic token again. */
  checkTime(token: Token, passedMs: number): { readonly refused: 'EXPIRED' } | { readonly token: Token } {
    return timing(token, this.#rules, passedMs) === 'EXPIRED' ? { refused: 'EXPIRED' } : { token };
  }

  /**
   * Checks the claims of a token that the service has called active, and which no key here could verify.
   * @param adopted whether it names no session: then its issuer and audience are another's, and count as missing
   */
  vouched(text: string, adopted: boolean): { readonly refused: TokenProblem } | { readonly claims: Claims } {
    const payload = decodePart(text.split('.')[1] ?? '');
    try {
      if (adopted) return this.#vouchedAdopted(payload);
      const jws: VerifiedJws = { use: 'access', kid: undefined, typ: 'at+jwt', payload };
      return { claims: readToken(jws, 'access', this.#rules, NO_HASH).claims };
    } catch (error) {
      if (error instanceof TokenRefused) return { refused: error.problem };
      throw error;
    }
  }

  #vouchedAdopted(payload: unknown): { readonly refused: TokenProblem } | { readonly claims: Claims } {
    if (!isObject(payload)) return { refused: 'MALFORMED' };
    if (this.#rules.issuer !== undefined) return { refused: 'WRONG_ISSUER' };
    if (this.#rules.audience.length > 0) return { refused: 'WRONG_AUDIENCE' };
    return { claims: otherClaims(payload) };
  }
}

const isObject = (value: unknown): value is Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether the key that a token names may be in a newer key set: no secret is ever in one. */
function mayGetPublicKey(text: string): boolean {
  const header = decodePart(text.slice(0, text.indexOf('.')));
  return isObject(header) && typeof header['kid'] === 'string' && header['alg'] !== 'HS256';
}
