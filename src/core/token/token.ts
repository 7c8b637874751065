// A verified token, and the rules for when it ends.

import type { TokenRules } from './rules.js';
import { ADOPTED_MAX_MS } from './rules.js';
import type { SessionId } from './session-id.js';

export type TokenKind = 'access' | 'refresh';

/** A token with a verified signature and valid claims. It may still be expired or revoked. */
export interface Token {
  readonly kind: TokenKind;
  /** The key that signed it; undefined for an adopted token, which names none. */
  readonly kid: string | undefined;
  readonly subject: string;
  readonly sessionId: SessionId;
  /** The session's start, Unix ms. */
  readonly startMs: number;
  readonly generation: number;
  /** The claim `jti`. */
  readonly id: string;
  /** Unix seconds. */
  readonly issuedAt: number;
  /** The claim `exp`, Unix seconds. `endsAtMs` may be sooner. */
  readonly expiresAt: number;
  /** The claim `nbf`, Unix seconds. */
  readonly notBefore: number | undefined;
  /** The claim `iss`; undefined: the token has none. */
  readonly issuer: string | undefined;
  /** The claim `aud`; undefined: the token has none. */
  readonly audience: readonly string[] | undefined;
  /** The claims that are neither registered nor ours, in the token's order. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Another issuer signed the token. */
  readonly adopted: boolean;
  /** The session began with an adopted token, this one or an earlier one. */
  readonly adoptedSession: boolean;
}

const ttlMs = (kind: TokenKind, rules: TokenRules): number =>
  kind === 'access' ? rules.accessTtlMs : rules.refreshTtlMs;

/** The latest end of a session, Unix ms. */
export const sessionEndMs = (startMs: number, rules: TokenRules): number => startMs + rules.sessionMaxMs;

/**
 * When the token ends, Unix ms. Today's settings bound it, too: they decide how long the entry that denies a token is
 * kept, and no token may outlive that entry.
 */
export function endsAtMs(token: Token, rules: TokenRules): number {
  const endMs = Math.min(
    token.expiresAt * 1000,
    token.issuedAt * 1000 + ttlMs(token.kind, rules),
    sessionEndMs(token.startMs, rules),
  );
  return token.adopted ? Math.min(endMs, adoptedEndMs(token.startMs)) : endMs;
}

/** The latest end of an adopted token, whatever its `exp` and the settings, Unix ms. */
export const adoptedEndMs = (startMs: number): number => startMs + ADOPTED_MAX_MS;

/**
 * Whether the token has expired or is not valid yet. `iat` counts only for another issuer's tokens, with a tolerance:
 * our own tokens are stamped by the store's clock.
 */
export function timing(token: Token, rules: TokenRules, nowMs: number): 'EXPIRED' | 'NOT_YET_VALID' | undefined {
  const toleranceMs = token.adopted ? rules.toleranceMs : 0;
  if (nowMs >= endsAtMs(token, rules) + toleranceMs) return 'EXPIRED';
  // Without tolerance: a pair created after the session's end would have expired already.
  if (nowMs >= sessionEndMs(token.startMs, rules)) return 'EXPIRED';
  const fromMs = Math.max(token.notBefore ?? 0, token.adopted ? token.issuedAt : 0) * 1000;
  return nowMs < fromMs - toleranceMs ? 'NOT_YET_VALID' : undefined;
}

/**
 * The time until which a revoked token must be denied, Unix ms. It is the token's own `exp`, so that raising a setting
 * does not reactivate it. Another issuer may write any `exp`; there our own maximum applies.
 */
export const denyUntilMs = (token: Token): number =>
  token.adopted ? Math.min(token.expiresAt * 1000, adoptedEndMs(token.startMs)) : token.expiresAt * 1000;

/**
 * Whether the token names its session. simplejwt gives the two tokens of a login different ids: the refresh token's
 * counts.
 */
export const namesSession = ({ adopted, kind }: Token): boolean => !adopted || kind === 'refresh';

/** The times and the key of one generation's pair; the store keeps them, so that a retry gets the same pair. */
export interface PairTimes {
  readonly generation: number;
  /** Unix seconds, as the two below. */
  readonly issuedAt: number;
  readonly accessExpiresAt: number;
  readonly refreshExpiresAt: number;
  readonly kid: string;
}

/** The times of a pair created now. */
export function pairTimesNow(
  { generation, startMs, kid }: { readonly generation: number; readonly startMs: number; readonly kid: string },
  rules: TokenRules,
  nowMs: number,
): PairTimes {
  const issuedAt = Math.floor(nowMs / 1000);
  const lastSecond = Math.floor(sessionEndMs(startMs, rules) / 1000);
  const end = (kind: TokenKind): number => Math.min(issuedAt + ttlMs(kind, rules) / 1000, lastSecond);
  return { generation, issuedAt, accessExpiresAt: end('access'), refreshExpiresAt: end('refresh'), kid };
}

/**
 * The lower bound of the store's time that a presented token gives, Unix ms: its `iat`, if we issued it. Another
 * issuer's clock says nothing about the store's.
 */
export const presentedMs = (token: Token): number => (token.adopted ? 0 : token.issuedAt * 1000);
