// The response to an introspection (RFC 7662, section 2.2), and the claims of the JWT that carries it (RFC 9701). Pure.

import type { Claims } from './claims.js';
import type { Token } from './token.js';

/** The response about a token that is not active. It says nothing else, not even why (RFC 7662, section 2.2). */
export const INACTIVE: Claims = { active: false };

/** The `typ` header of a signed response (RFC 9701, section 5). No token of ours has it. */
export const INTROSPECTION_TYP = 'token-introspection+jwt';

/** Members of the response that are ours, so that no claim of a token can replace them. */
const OWN_MEMBERS: ReadonlySet<string> = new Set(['active', 'token_use']);

/** The response about an active token: what the token holds. @param endsAt when it ends, Unix seconds */
export function activeResponse(token: Token, endsAt: number): Claims {
  const { kind, subject, sessionId, id, issuedAt, notBefore, issuer, audience = [], claims } = token;
  // The id of another issuer's access token names no session here.
  const namesSession = !(token.adopted && kind === 'access');
  return {
    active: true,
    token_use: kind,
    // RFC 6749, section 7.1: how an access token is used. A refresh token is used in no request to a resource.
    ...(kind === 'access' ? { token_type: 'Bearer' } : {}),
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience.length === 0 ? {} : { aud: audience.length === 1 ? audience[0] : audience }),
    sub: subject,
    ...(namesSession ? { sid: sessionId } : {}),
    jti: id,
    iat: issuedAt,
    exp: endsAt,
    ...(notBefore === undefined ? {} : { nbf: notBefore }),
    ...Object.fromEntries(Object.entries(claims).filter(([name]) => !OWN_MEMBERS.has(name))),
  };
}

/**
 * The claims of a signed response (RFC 9701, section 5). There is no `sub` and no `exp`, so that no verifier
 * takes it for a token of the subject.
 */
export const signedResponseClaims = (issuer: string, audience: string, issuedAt: number, response: Claims): Claims => ({
  iss: issuer,
  aud: audience,
  iat: issuedAt,
  token_introspection: response,
});
