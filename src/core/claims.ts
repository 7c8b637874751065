// Owns our tokens' claims: which names are ours, and how a pair's claims are written.

import { MAX_CLAIM_DEPTH, type Policy } from './policy.js';
import type { SessionId } from './session.js';
import type { Answered, Token, TokenKind } from './token.js';

export type Claims = Readonly<Record<string, unknown>>;

/** A name that assigning to an object loses without an error. No claim may have it, at any depth. */
export const PROTO_NAME = '__proto__';

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

/**
 * Whether a number means the same to every reader of JSON and protobuf. From 2^53 on two whole numbers share one double
 * (RFC 8259, section 6): which of them was meant is lost before it arrives, so all of them are refused.
 */
export const isExact = (value: number): boolean =>
  Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value));

/** Names and indexes that lead to a value among claims. */
export type ClaimPath = readonly (string | number)[];

/** The path to the first value that is no object and no list and fails a test; undefined if all pass. */
export function findClaim(value: unknown, isGood: (leaf: unknown) => boolean): ClaimPath | undefined {
  if (typeof value !== 'object' || value === null) return isGood(value) ? undefined : [];
  const isList = Array.isArray(value);
  for (const [name, inner] of Object.entries(value)) {
    const path = findClaim(inner, isGood);
    if (path) return [isList ? Number(name) : name, ...path];
  }
  return undefined;
}

/** The path to the first number that is not exact; undefined if all are. */
export const findInexact = (value: unknown): ClaimPath | undefined =>
  findClaim(value, (leaf) => typeof leaf !== 'number' || isExact(leaf));

/** The most characters of a path that a message shows: names may be as long as a request. */
const MAX_PATH_CHARS = 200;

/** A path as a message shows it, such as `order.lines[2]["unit price"]`. */
export function formatPath(path: ClaimPath): string {
  const text = path
    .map((step) => (typeof step === 'string' && /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join('')
    .replace(/^\./, '');
  return text.length <= MAX_PATH_CHARS ? text : `${text.slice(0, MAX_PATH_CHARS).toWellFormed()}…`;
}

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
