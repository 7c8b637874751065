// Owns the translation from the core's answers to the contract's messages.

import type { GetJsonWebKeySetResponse, ValidateTokenResponse } from '../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import type { KeySet } from '../core/key-set.js';
import type { Validation } from '../core/validate.js';

const NOTHING: Omit<ValidateTokenResponse, 'active' | 'problem'> = {
  subject: '',
  sessionId: '',
  tokenId: '',
  issuedAt: 0,
  expiresAt: 0,
  issuer: '',
  audience: [],
  claims: undefined,
};

/** Of a token that does not stand nothing is told but why. */
export function validationMessage(validation: Validation, includeClaims: boolean): ValidateTokenResponse {
  if (!validation.active) {
    return { active: false, problem: TokenProblem[`TOKEN_PROBLEM_${validation.problem}`], ...NOTHING };
  }
  const { token, endsAt } = validation;
  return {
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
    claims: includeClaims ? token.claims : undefined,
  };
}

/** Member by member: what is not named here does not leave. */
export const keySetMessage = ({ keys, maxAgeS }: KeySet): GetJsonWebKeySetResponse => ({
  keys: keys.map(({ kty, use, alg, kid, crv = '', x = '', y = '', n = '', e = '' }) => ({
    ...{ kty, use, alg, kid, crv, x, y, n, e },
  })),
  maxAgeSeconds: maxAgeS,
});
