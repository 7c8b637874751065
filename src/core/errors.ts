// Owns the ways in which a call can fail, as a closed set of codes. Knows no transport.

/** Why a token does not stand: the contract's TokenProblem without its prefix. */
export type TokenProblem =
  | 'MALFORMED'
  | 'BAD_SIGNATURE'
  | 'UNKNOWN_KEY'
  | 'WRONG_TYPE'
  | 'MISSING_CLAIM'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'WRONG_ISSUER'
  | 'WRONG_AUDIENCE'
  | 'REVOKED'
  | 'REUSED';

/** The token is bad. Definite: asking again gives no other answer. */
export class TokenRefused extends Error {
  readonly code = 'TOKEN_REFUSED';
  override readonly name = 'TokenRefused';
  readonly problem: TokenProblem;
  /** Of a REVOKED token, what ended it, for programs: `logout`, `reuse`, `lost`, `not-before` or `birth`. */
  readonly why: string | undefined;

  /** @param detail what was found, for people; never a part of the token */
  constructor(problem: TokenProblem, detail: string, why?: string) {
    super(detail);
    this.problem = problem;
    this.why = why;
  }
}

const REFUSALS = {
  EXPIRED: 'the token has expired',
  NOT_YET_VALID: 'the token is not valid yet',
  REVOKED: 'the session is over',
  REUSED: 'the refresh token has been used already',
} as const;

/** The refusal of a token that is authentic but does not stand. */
export const refusal = (problem: keyof typeof REFUSALS, why?: string): TokenRefused =>
  new TokenRefused(problem, why === undefined ? REFUSALS[problem] : `${REFUSALS[problem]} (${why})`, why);

/** One wrong field of a request. */
export interface Violation {
  /** The field's name in the contract, such as `refresh_token`. */
  readonly field: string;
  readonly reason: 'REQUIRED' | 'TOO_LARGE' | 'INVALID' | 'RESERVED' | 'CONFLICT';
  /** What is wrong and what is wanted, for people. */
  readonly description: string;
}

/** The caller asked wrongly, whatever the tokens say. */
export class InvalidInput extends Error {
  readonly code = 'INVALID_INPUT';
  override readonly name = 'InvalidInput';
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(`${violation.field}: ${violation.description}`);
    this.violation = violation;
  }
}

/** The store did not answer, or not in a way that can be believed: nobody may be told "valid" or "invalid". */
export class StoreUnavailable extends Error {
  readonly code = 'STORE_UNAVAILABLE';
  override readonly name = 'StoreUnavailable';

  /** @param detail what failed, for the log; `cause` is the driver's own error, for the log too */
  constructor(detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
  }
}

/** Everything that a use case throws on purpose. Whatever else is thrown is a fault of ours. */
export type CoreError = TokenRefused | InvalidInput | StoreUnavailable;

export const isCoreError = (error: unknown): error is CoreError =>
  error instanceof TokenRefused || error instanceof InvalidInput || error instanceof StoreUnavailable;
