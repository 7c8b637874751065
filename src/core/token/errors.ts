// The refusal of a token, with its reason from a closed set of codes.

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
