// The errors of the core, a closed set of codes, independent of the transport.

/** Why a token is not active: the contract's TokenProblem without its prefix. */
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

/** The token is not active, definitely: a retry gives the same answer. */
export class TokenRefused extends Error {
  readonly code = 'TOKEN_REFUSED';
  override readonly name = 'TokenRefused';
  readonly problem: TokenProblem;
  /** Why a REVOKED token was revoked, for programs: `logout`, `reuse`, `lost`, `not-before` or `birth`. */
  readonly why: string | undefined;

  /** @param detail the finding, for people; never a part of the token */
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

/** The refusal of an authentic token that is not active. */
export const refusal = (problem: keyof typeof REFUSALS, why?: string): TokenRefused =>
  new TokenRefused(problem, why === undefined ? REFUSALS[problem] : `${REFUSALS[problem]} (${why})`, why);

/** One wrong field of a request. */
export interface Violation {
  /** The field's name in the contract, such as `refresh_token`. */
  readonly field: string;
  readonly reason: 'REQUIRED' | 'TOO_LARGE' | 'INVALID' | 'RESERVED' | 'CONFLICT';
  /** What is wrong and what is expected, for people. */
  readonly description: string;
}

/** The request is invalid, whatever its tokens. */
export class InvalidInput extends Error {
  readonly code = 'INVALID_INPUT';
  override readonly name = 'InvalidInput';
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(`${violation.field}: ${violation.description}`);
    this.violation = violation;
  }
}

/**
 * The store did not answer, or its answer cannot be trusted: the token's state is unknown, neither valid nor invalid.
 */
export class StoreUnavailable extends Error {
  readonly code = 'STORE_UNAVAILABLE';
  override readonly name = 'StoreUnavailable';

  /** @param detail what failed, for the log; `cause` is the driver's own error, for the log too */
  constructor(detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
  }
}

/** Every error that a use case throws on purpose. Any other error is a bug. */
export type CoreError = TokenRefused | InvalidInput | StoreUnavailable;

export const isCoreError = (error: unknown): error is CoreError =>
  error instanceof TokenRefused || error instanceof InvalidInput || error instanceof StoreUnavailable;
