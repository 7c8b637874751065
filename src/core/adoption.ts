// The adoption of a token of djangorestframework-simplejwt as generation 0 of a session of ours.

import type { ClaimReader } from './claim-reader.js';
import { findInexact } from './claim-values.js';
import { otherClaims } from './claims.js';
import { TokenRefused } from './errors.js';
import type { Policy } from './policy.js';
import type { Crypto } from './ports.js';
import { isSubject, makeSessionId } from './session.js';
import type { Token, TokenKind } from './token.js';

// simplejwt writes the user's id as it is in the database in versions before 5.4, as text since.
const isSubjectLike = (value: unknown): value is string | number => isSubject(value) || Number.isSafeInteger(value);
const isFilled = (value: unknown): value is string => typeof value === 'string' && value.length > 0;

/**
 * Reads an authentic token of simplejwt. Its `sid` comes from its `iat` and `jti`, so that whoever meets it again
 * finds the same session. Its own `iss`, `aud`, `sid` and `gen` are dropped: they must not choose what it is to us.
 * @throws TokenRefused MALFORMED or MISSING_CLAIM
 */
export function adopt(reader: ClaimReader, kind: TokenKind, policy: Policy, crypto: Crypto): Token {
  const subject = String(reader.need(policy.subjectClaim, isSubjectLike, 'a text or a whole number'));
  const id = reader.need('jti', isFilled, 'a filled string');
  const issuedAt = reader.date('iat');
  const startMs = issuedAt * 1000;
  // JSON's numbers are read as doubles: a successor would carry another one, and a changed id is somebody else's.
  if (kind === 'refresh' && findInexact(otherClaims(reader.claims))) {
    throw new TokenRefused('MALFORMED', 'a claim holds a number that cannot be carried on exactly');
  }
  if (!id.isWellFormed()) throw new TokenRefused('MALFORMED', 'the claim jti is not valid Unicode');
  return {
    kind,
    kid: undefined,
    subject,
    sessionId: makeSessionId(startMs, crypto.sha256(`simplejwt ${id}`)),
    startMs,
    generation: 0,
    id,
    issuedAt,
    expiresAt: reader.date('exp'),
    notBefore: reader.mayDate('nbf'),
    issuer: undefined,
    audience: [],
    claims: otherClaims(reader.claims),
    adopted: true,
    fromElsewhere: true,
  };
}
