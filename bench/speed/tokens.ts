// The tokens of the bench's sessions, and the answers that they must get.

import { ValidateTokenResponse } from '../../proto/gen/auth/v1/auth_service.js';
import { type TokenPair, TokenProblem } from '../../proto/gen/auth/v1/token.js';
import type { Keys } from '../../src/core/ports.js';
import { tokenId, writeClaims } from '../../src/core/token/claims.js';
import type { TokenKind } from '../../src/core/token/token.js';
import type { Session } from '../stores/sessions.js';

export function tokenOf(kind: TokenKind, session: Session, keys: Keys): string {
  const kid = keys.signingKid;
  const bearer = { ...session, issuer: undefined, audience: [], claims: {}, adoptedSession: false };
  return keys.sign(kind, writeClaims(kind, bearer, { ...session, kid }), kid);
}

/** What ValidateToken must answer for the access token of an active session. */
export const validationOf = ({ subject, sessionId, generation, issuedAt, accessExpiresAt }: Session): Uint8Array =>
  ValidateTokenResponse.encode({
    active: true,
    problem: TokenProblem.TOKEN_PROBLEM_UNSPECIFIED,
    subject,
    sessionId,
    tokenId: tokenId('access', sessionId, generation),
    issuedAt,
    expiresAt: accessExpiresAt,
    issuer: '',
    audience: [],
    claims: undefined,
  }).finish();

/** The pair of a session as the service would answer it. */
export const pairOf = (session: Session, keys: Keys): TokenPair => ({
  accessToken: tokenOf('access', session, keys),
  refreshToken: tokenOf('refresh', session, keys),
  accessExpiresAt: session.accessExpiresAt,
  refreshExpiresAt: session.refreshExpiresAt,
  sessionId: session.sessionId,
});
