// Owns the translation from the core's answers to the contract's messages.

import type {
  GetJsonWebKeySetResponse,
  ValidateTokenResponse,
  ValidateTokensResult,
} from '../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import type { TokenProblem as Problem } from '../core/errors.js';
import type { KeySet } from '../core/key-set.js';
import type { Validation } from '../core/validate.js';
import type { Verdict } from '../core/validate-many.js';
import type { Verified } from '../core/verified.js';
import { RETRY_INFO } from './status.js';

/** What was told of a token that stands, without its claims. It is told again for as long as the token is remembered. */
const told = new WeakMap<Verified, ValidateTokenResponse>();
/** Of a token that does not stand nothing is told but why. */
const refused = new Map<Problem, ValidateTokenResponse>();

/** The same validation gives the same message, but for one with claims. */
export function validationMessage(validation: Validation, includeClaims: boolean): ValidateTokenResponse {
  if (!validation.active) return refusedMessage(validation.problem);
  const { verified } = validation;
  if (includeClaims) return { ...activeMessage(verified), claims: verified.token.claims };
  const before = told.get(verified);
  if (before) return before;
  const message = activeMessage(verified);
  told.set(verified, message);
  return message;
}

const activeMessage = ({ token, endsAt }: Verified): ValidateTokenResponse => ({
  active: true,
  problem: TokenProblem.TOKEN_PROBLEM_UNSPECIFIED,
  subject: token.subject,
  // simplejwt's two tokens have ids of their own: the access token's leads to no session.
  sessionId: token.adopted ? '' : token.sessionId,
  tokenId: token.id,
  issuedAt: token.issuedAt,
  expiresAt: endsAt,
  issuer: token.issuer ?? '',
  audience: [...token.audience],
  claims: undefined,
});

function refusedMessage(problem: Problem): ValidateTokenResponse {
  const nothing = { subject: '', sessionId: '', tokenId: '', issuedAt: 0, expiresAt: 0, issuer: '', audience: [] };
  const message = refused.get(problem) ?? {
    ...{ active: false, problem: TokenProblem[`TOKEN_PROBLEM_${problem}`], ...nothing, claims: undefined },
  };
  refused.set(problem, message);
  return message;
}

export const resultMessage = (verdict: Verdict, includeClaims: boolean): ValidateTokensResult =>
  'untold' in verdict ? { cannotTell: RETRY_INFO } : { validation: validationMessage(verdict, includeClaims) };

/** Member by member: what is not named here does not leave. */
export const keySetMessage = ({ keys, maxAgeS }: KeySet): GetJsonWebKeySetResponse => ({
  keys: keys.map(({ kty, use, alg, kid, crv = '', x = '', y = '', n = '', e = '' }) => ({
    ...{ kty, use, alg, kid, crv, x, y, n, e },
  })),
  maxAgeSeconds: maxAgeS,
});
