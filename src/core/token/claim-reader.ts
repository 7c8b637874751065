// A reader of the claims in an authentic payload; its errors name the claim.

import type { Claims } from './claims.js';
import { TokenRefused } from './errors.js';
import { MAX_GENERATION, MAX_NUMERIC_DATE } from './rules.js';

export const isTrue = (value: unknown): value is true => value === true;
export const isString = (value: unknown): value is string => typeof value === 'string';
const isNumericDate = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_NUMERIC_DATE;
export const isGeneration = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_GENERATION;
export const isAudience = (value: unknown): value is string | readonly string[] =>
  isString(value) || (Array.isArray(value) && value.every(isString));

const WHOLE_SECONDS = 'a whole number of seconds';

/** Every method throws TokenRefused: MISSING_CLAIM or MALFORMED. */
export class ClaimReader {
  readonly claims: Claims;

  constructor(payload: unknown) {
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
      throw new TokenRefused('MALFORMED', 'the payload is not an object');
    }
    this.claims = payload as Claims;
  }

  /** A required claim, which must pass a test. */
  need<T>(name: string, test: (value: unknown) => value is T, wanted: string): T {
    const value = Object.hasOwn(this.claims, name) ? this.claims[name] : undefined;
    if (value === undefined) throw new TokenRefused('MISSING_CLAIM', `the claim ${name} is missing`);
    if (!test(value)) throw new TokenRefused('MALFORMED', `the claim ${name} is not ${wanted}`);
    return value;
  }

  /** An optional claim. */
  may<T>(name: string, test: (value: unknown) => value is T, wanted: string): T | undefined {
    return Object.hasOwn(this.claims, name) ? this.need(name, test, wanted) : undefined;
  }

  /**
   * A NumericDate such as `exp` or `iat`, Unix seconds. RFC 7519 allows fractions; no issuer that we accept writes
   * them.
   */
  date(name: string): number {
    return this.need(name, isNumericDate, WHOLE_SECONDS);
  }

  /** An optional NumericDate, Unix seconds. */
  mayDate(name: string): number | undefined {
    return this.may(name, isNumericDate, WHOLE_SECONDS);
  }
}
