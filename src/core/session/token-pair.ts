// The token pair of a login or a refresh: signed, and never larger than the largest token that we accept.

import { InvalidInput } from '../errors.js';
import { type Claims, type SharedClaims, writeClaims } from '../token/claims.js';
import { MAX_TOKEN_BYTES } from '../token/rules.js';
import type { SessionId } from '../token/session-id.js';
import type { PairTimes, TokenKind } from '../token/token.js';

export interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Unix seconds. */
  readonly accessExpiresAt: number;
  /** Unix seconds. */
  readonly refreshExpiresAt: number;
  readonly sessionId: SessionId;
}

/** What signs tokens; see the port `Keys`. */
export interface TokenSigner {
  /**
   * Signs claims. The same claims and key give the same bytes, except with ES256.
   * @param kid the key; the signing key replaces one that is no longer known
   */
  sign(use: TokenKind, claims: Claims, kid: string): string;
}

/** The request field to blame for an oversized token, and how much must stay free, bytes. */
export interface SizeLimit {
  readonly field: 'claims' | 'refresh_token';
  readonly spareBytes: number;
}

/** Signs both tokens. @throws InvalidInput if one is too large */
export function signPair(keys: TokenSigner, shared: SharedClaims, times: PairTimes, limit: SizeLimit): Pair {
  const most = MAX_TOKEN_BYTES - limit.spareBytes;
  const sign = (kind: TokenKind): string => {
    const token = keys.sign(kind, writeClaims(kind, shared, times), times.kid);
    if (token.length <= most) return token;
    const description = `the ${kind} token would have ${token.length} bytes; at most ${most} are allowed: use fewer claims`;
    throw new InvalidInput({ field: limit.field, reason: 'TOO_LARGE', description });
  };
  return {
    accessToken: sign('access'),
    refreshToken: sign('refresh'),
    accessExpiresAt: times.accessExpiresAt,
    refreshExpiresAt: times.refreshExpiresAt,
    sessionId: shared.sessionId,
  };
}
