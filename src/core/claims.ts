// The claims of our tokens: which names are ours, and how a pair's claims are written.

import { PROTO_NAME } from './claim-values.js';
import { MAX_CLAIM_DEPTH, type Policy } from './policy.js';
import type { SessionId } from './session.js';
import type { Answered, Token, TokenKind } from './token.js';

export type Claims = Readonly<Record<string, unknown>>;

/** Names that no caller may put into a token: the registered ones of RFC 7519, section 4.1, and ours. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  ...['sid', 'gen', 'token_type', 'adopted', PROTO_NAME],
]);

export const isReserved = (name: string): boolean => RESERVED.has(name);

/** The claims that are not reserved, in their order. */
export const otherClaims = (claims: Claims): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !isReserved(name)));

/** Whether a value of JSON stays within the depth that every reader of ours can follow. */
export const isShallow = (value: unknown, depth = MAX_CLAIM_DEPTH): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1)));

const TYP: Readonly<Record<TokenKind, string>> = { access: 'at+jwt', refresh: 'rt+jwt' };

/** The header's `typ` of a kind of token (RFC 9068, section 2.1, for access tokens). */
export const typOf = (kind: TokenKind): string => TYP[kind];

/** A token's id: derived, so that a retry gets the same one and nothing has to be stored for it. */
export const tokenId = (kind: TokenKind, sessionId: SessionId, generation: number): string =>
  `${kind === 'access' ? 'a' : 'r'}${sessionId}.${generation}`;

/** What both tokens of a pair carry through all generations of a session. */
export interface Bearer {
  readonly subject: string;
  readonly sessionId: SessionId;
  readonly issuer: string | undefined;
  readonly audience: readonly string[];
  readonly claims: Claims;
  /** The session was another issuer's at first: the claim `adopted`. */
  readonly fromElsewhere: boolean;
}

/** A token's claims, always in the same order: the same input gives the same bytes. */
export function writeClaims(kind: TokenKind, bearer: Bearer, answered: Answered): Claims {
  const { subject, sessionId, issuer, audience } = bearer;
  return {
    token_type: kind,
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience.length === 0 ? {} : { aud: audience.length === 1 ? audience[0] : audience }),
    sub: subject,
    sid: sessionId,
    gen: answered.generation,
    jti: tokenId(kind, sessionId, answered.generation),
    iat: answered.issuedAt,
    exp: kind === 'access' ? answered.accessExpiresAt : answered.refreshExpiresAt,
    ...(bearer.fromElsewhere ? { adopted: true } : {}),
    ...bearer.claims,
  };
}

/** What a token's successors carry. An adopted token takes our names on; of our own none changes on the way. */
export const bearerOf = (token: Token, policy: Policy): Bearer =>
  token.adopted ? { ...token, issuer: policy.issuer, audience: policy.audience } : token;
