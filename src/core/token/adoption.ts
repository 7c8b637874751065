// Adoption: reads a djangorestframework-simplejwt token as generation 0 of one of our sessions.

import type { ClaimReader } from './claim-reader.js';
import { findInexact } from './claim-values.js';
import { otherClaims } from './claims.js';
import { TokenRefused } from './errors.js';
import type { TokenRules } from './rules.js';
import { isSubject, makeSessionId } from './session-id.js';
import type { Token, TokenKind } from './token.js';
import type { Sha256 } from './verified-jws.js';

// Before version 5.4 simplejwt writes the user's id with its type in the database; later versions write a string.
const isSubjectLike = (value: unknown): value is string | number => isSubject(value) || Number.isSafeInteger(value);
const isFilled = (value: unknown): value is string => typeof value === 'string' && value.length > 0;

/**
 * Reads an authentic simplejwt token. The `sid` is derived from its `iat` and `jti`, so that every node derives the
 * same session. The token's own `iss`, `aud`, `sid` and `gen` are dropped: another issuer must not set them here.
 * @throws TokenRefused MALFORMED or MISSING_CLAIM
 */
export function adopt(reader: ClaimReader, kind: TokenKind, rules: TokenRules, hash: Sha256): Token {
  const subject = String(reader.need(rules.subjectClaim, isSubjectLike, 'a string or a whole number'));
  const id = reader.need('jti', isFilled, 'a non-empty string');
  const issuedAt = reader.date('iat');
  const startMs = issuedAt * 1000;
  // JSON numbers are parsed as doubles: the next token would carry a rounded number, which may be another user's id.
  if (kind === 'refresh' && findInexact(otherClaims(reader.claims))) {
    throw new TokenRefused('MALFORMED', 'a claim holds a number that cannot be represented exactly');
  }
  if (!id.isWellFormed()) throw new TokenRefused('MALFORMED', 'the claim jti is not valid Unicode');
  return {
    kind,
    kid: undefined,
    subject,
    sessionId: makeSessionId(startMs, hash.sha256(`simplejwt ${id}`)),
    startMs,
    generation: 0,
    id,
    issuedAt,
    expiresAt: reader.date('exp'),
    notBefore: reader.mayDate('nbf'),
    issuer: undefined,
    audience: undefined,
    claims: otherClaims(reader.claims),
    adopted: true,
    adoptedSession: true,
  };
}
