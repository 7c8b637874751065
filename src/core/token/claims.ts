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
export function otherClaims(claims: Claims): Claims {
  const others: Record<string, unknown> = {};
  // `__proto__` is reserved, so that each assignment makes a property.
  for (const name of Object.keys(claims)) if (!isReserved(name)) others[name] = claims[name];
  return others;
}

/** Whether a JSON value is nested no deeper than all our parsers allow. */
export function isShallow(value: unknown, depth = MAX_CLAIM_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  // Every token comes here: a list of its values, and a function to test them, would cost more than the rest.
  for (const name in value) {
    const inner: unknown = value[name as keyof typeof value];
    if (typeof inner === 'object' && !isShallow(inner, depth - 1)) return false;
  }
  return true;
}

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
