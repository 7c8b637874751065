// The claims of our tokens: reserved names, the `typ` and `jti` of each kind, and the claims of a new pair.

import { PROTO_NAME } from './claim-values.js';
import type { TokenRules } from './rules.js';
import { MAX_CLAIM_DEPTH } from './rules.js';
import type { SessionId } from './session-id.js';
import type { PairTimes, Token, TokenKind } from './token.js';

export type Claims = Readonly<Record<string, unknown>>;

/** Names that no caller may set in a token: the registered ones (RFC 7519, section 4.1) and ours. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  ...['sid', 'gen', 'token_type', 'adopted', PROTO_NAME],
]);

export const isReserved = (name: string): boolean => RESERVED.has(name);

/** The claims without the reserved ones, in their order. */
export const otherClaims = (claims: Claims): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !isReserved(name)));

/** Whether a JSON value is nested no deeper than all our parsers allow. */
export const isShallow = (value: unknown, depth = MAX_CLAIM_DEPTH): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1)));

const TYP: Readonly<Record<TokenKind, string>> = { access: 'at+jwt', refresh: 'rt+jwt' };

/** The `typ` header of a token kind (RFC 9068, section 2.1, for access tokens). */
export const typOf = (kind: TokenKind): string => TYP[kind];

/** A token's `jti`. It is derived, so a retry gets the same one without a stored record. */
export const tokenId = (kind: TokenKind, sessionId: SessionId, generation: number): string =>
  `${kind === 'access' ? 'a' : 'r'}${sessionId}.${generation}`;

/** The claims that both tokens of a pair share, the same in all generations of a session. */
export interface SharedClaims {
  readonly subject: string;
  readonly sessionId: SessionId;
  readonly issuer: string | undefined;
  readonly audience: readonly string[] | undefined;
  readonly claims: Claims;
  /** The claim `adopted`: the session began with another issuer's token. */
  readonly adoptedSession: boolean;
}

/** A token's claims, always in the same order: the same input gives the same bytes. */
export function writeClaims(kind: TokenKind, shared: SharedClaims, times: PairTimes): Claims {
  const { subject, sessionId, issuer, audience = [] } = shared;
  return {
    token_type: kind,
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience.length === 0 ? {} : { aud: audience.length === 1 ? audience[0] : audience }),
    sub: subject,
    sid: sessionId,
    gen: times.generation,
    jti: tokenId(kind, sessionId, times.generation),
    iat: times.issuedAt,
    exp: kind === 'access' ? times.accessExpiresAt : times.refreshExpiresAt,
    ...(shared.adoptedSession ? { adopted: true } : {}),
    ...shared.claims,
  };
}

/**
 * The shared claims of the next pair. For an adopted token `iss` and `aud` become ours; for our own nothing changes.
 */
export const sharedClaimsOf = (token: Token, rules: TokenRules): SharedClaims =>
  token.adopted ? { ...token, issuer: rules.issuer, audience: rules.audience } : token;
