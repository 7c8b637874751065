// The service's result for one token, read from the wire.

import type { ValidateTokenResponse, ValidateTokensResult } from '../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import { retryDelayMs } from '../platform/retry-delay.js';
import type { ActiveToken, InactiveProblem, InactiveToken } from './api.js';
import type { Claims } from './local-check.js';
import type { Failure } from './retry.js';

const NAMES: ReadonlyMap<TokenProblem, InactiveProblem> = new Map([
  [TokenProblem.TOKEN_PROBLEM_MALFORMED, 'MALFORMED'],
  [TokenProblem.TOKEN_PROBLEM_BAD_SIGNATURE, 'BAD_SIGNATURE'],
  [TokenProblem.TOKEN_PROBLEM_UNKNOWN_KEY, 'UNKNOWN_KEY'],
  [TokenProblem.TOKEN_PROBLEM_WRONG_TYPE, 'WRONG_TYPE'],
  [TokenProblem.TOKEN_PROBLEM_MISSING_CLAIM, 'MISSING_CLAIM'],
  [TokenProblem.TOKEN_PROBLEM_EXPIRED, 'EXPIRED'],
  [TokenProblem.TOKEN_PROBLEM_NOT_YET_VALID, 'NOT_YET_VALID'],
  [TokenProblem.TOKEN_PROBLEM_WRONG_ISSUER, 'WRONG_ISSUER'],
  [TokenProblem.TOKEN_PROBLEM_WRONG_AUDIENCE, 'WRONG_AUDIENCE'],
  [TokenProblem.TOKEN_PROBLEM_REVOKED, 'REVOKED'],
  [TokenProblem.TOKEN_PROBLEM_REUSED, 'REUSED'],
]);

/** One shared, frozen value for each problem. */
const INACTIVE = new Map<InactiveProblem, InactiveToken>();

export function inactive(problem: InactiveProblem): InactiveToken {
  const known = INACTIVE.get(problem) ?? Object.freeze({ active: false as const, problem });
  INACTIVE.set(problem, known);
  return known;
}

/** The service called the token active. Its claims are in its text. */
export interface CalledActive {
  readonly called: ValidateTokenResponse;
}

/** Reads one result. A result that breaks the contract counts as a failure. */
export function readResult(result: ValidateTokensResult | undefined): InactiveToken | CalledActive | Failure {
  if (result?.cannotTell) {
    const reason = 'the service cannot reach its store';
    return { kind: 'unavailable', reason, retryAfterMs: retryDelayMs(result.cannotTell) };
  }
  const { validation } = result ?? {};
  if (validation?.active && isWhole(validation)) return { called: validation };
  // Exactly the problem UNSPECIFIED means active.
  if (validation && !validation.active && validation.problem !== TokenProblem.TOKEN_PROBLEM_UNSPECIFIED) {
    return inactive(NAMES.get(validation.problem) ?? 'UNSPECIFIED');
  }
  return { kind: 'broken', reason: 'the service sent a result that breaks its contract', retryAfterMs: undefined };
}

const isWhole = ({ subject, tokenId, expiresAt, problem }: ValidateTokenResponse): boolean =>
  subject !== '' && tokenId !== '' && expiresAt > 0 && problem === TokenProblem.TOKEN_PROBLEM_UNSPECIFIED;

const NO_AUDIENCE: readonly string[] = Object.freeze([]);

/** Frozen to the last claim, because all callers with the same token share it. */
export function active(
  called: Omit<ValidateTokenResponse, 'active' | 'problem' | 'claims'>,
  claims: Claims,
): ActiveToken {
  const { subject, sessionId, tokenId, issuedAt, expiresAt, issuer, audience } = called;
  // Without a spread: V8 gives each frozen object that was made by one a hidden class of its own, which takes memory
  // and makes every later read of it slow.
  return Object.freeze({
    active: true,
    subject,
    sessionId,
    tokenId,
    issuedAt,
    expiresAt,
    issuer: issuer === '' ? undefined : issuer,
    audience: audience.length === 0 ? NO_AUDIENCE : frozen(audience),
    claims: frozen(claims),
  });
}

/** Claims are JSON, nested no deeper than the rules of tokens allow. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
