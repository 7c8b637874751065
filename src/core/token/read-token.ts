// The checks of a token beyond its signature: kind, claims, issuer and audience.

import { adopt } from './adoption.js';
import { ClaimReader, isAudience, isGeneration, isString, isTrue } from './claim-reader.js';
import { isShallow, otherClaims, tokenId, typOf } from './claims.js';
import { TokenRefused } from './errors.js';
import type { TokenRules } from './rules.js';
import { isSessionId, isSubject, sessionStartMs } from './session-id.js';
import type { Token, TokenKind } from './token.js';
import type { Sha256, VerifiedJws } from './verified-jws.js';

/**
 * Reads a token with a verified signature.
 * @param wanted the kind that the caller needs
 * @throws TokenRefused MALFORMED, MISSING_CLAIM, WRONG_TYPE, WRONG_ISSUER or WRONG_AUDIENCE
 */
export function readToken(jws: VerifiedJws, wanted: TokenKind, rules: TokenRules, hash: Sha256): Token {
  const reader = new ClaimReader(jws.payload);
  const type = reader.need('token_type', isString, 'a string');
  const kind = jws.use === 'adopted' ? type : jws.use;
  if (type !== wanted || kind !== wanted || (jws.use !== 'adopted' && jws.typ !== typOf(wanted))) {
    throw new TokenRefused('WRONG_TYPE', `the token is not of the type ${wanted}`);
  }
  if (!isShallow(reader.claims)) throw new TokenRefused('MALFORMED', 'the claims are nested too deep');
  const token = jws.use === 'adopted' ? adopt(reader, wanted, rules, hash) : readOwn(reader, wanted, jws.kid);
  const problem = jws.use === 'adopted' ? undefined : partyProblem(token, rules);
  if (problem) throw new TokenRefused(problem, PARTY_PROBLEMS[problem]);
  return token;
}

function readOwn(reader: ClaimReader, kind: TokenKind, kid: string | undefined): Token {
  const subject = reader.need('sub', isSubject, 'a subject of 1 to 255 bytes');
  const sessionId = reader.need('sid', isSessionId, 'a UUIDv7');
  const generation = reader.need('gen', isGeneration, 'a generation');
  const id = reader.need('jti', isString, 'a string');
  if (id !== tokenId(kind, sessionId, generation)) {
    throw new TokenRefused('MALFORMED', 'the claim jti does not belong to its sid and gen');
  }
  const audience = reader.may('aud', isAudience, 'a string or a list of strings');
  return {
    kind,
    kid,
    subject,
    sessionId,
    startMs: sessionStartMs(sessionId),
    generation,
    id,
    issuedAt: reader.date('iat'),
    expiresAt: reader.date('exp'),
    notBefore: reader.mayDate('nbf'),
    issuer: reader.may('iss', isString, 'a string'),
    audience: isString(audience) ? [audience] : audience,
    claims: otherClaims(reader.claims),
    adopted: false,
    adoptedSession: reader.may('adopted', isTrue, 'true') ?? false,
  };
}

const PARTY_PROBLEMS = {
  MISSING_CLAIM: 'the claim iss or aud is missing',
  WRONG_ISSUER: 'the claim iss is not our issuer',
  WRONG_AUDIENCE: 'the claim aud names none of our audiences',
} as const;

/**
 * Why `iss` and `aud` of our own token are not accepted (RFC 7519, sections 4.1.1 and 4.1.3), if they are configured.
 */
export function partyProblem(
  token: Token,
  { issuer, audience }: Pick<TokenRules, 'issuer' | 'audience'>,
): keyof typeof PARTY_PROBLEMS | undefined {
  if (issuer !== undefined && token.issuer === undefined) return 'MISSING_CLAIM';
  if (issuer !== undefined && token.issuer !== issuer) return 'WRONG_ISSUER';
  if (audience.length > 0 && token.audience === undefined) return 'MISSING_CLAIM';
  return audience.length > 0 && !isForAudience(token, audience) ? 'WRONG_AUDIENCE' : undefined;
}

/** Whether a token is for at least one of some audiences (RFC 7519, section 4.1.3). */
export const isForAudience = ({ audience = [] }: Token, accepted: readonly string[]): boolean =>
  audience.some((one) => accepted.includes(one));
