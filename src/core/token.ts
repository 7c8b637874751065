// Owns what a token says once its form, signature and claims are known to be good, and when it ends.

import { ADOPTED_MAX_MS, type Policy } from './policy.js';
import type { SessionId } from './session.js';

export type TokenKind = 'access' | 'refresh';

/** A token whose signature and claims are good. Whether it stands is for the clock and the store to say. */
export interface Token {
  readonly kind: TokenKind;
  /** The key that it was signed with; undefined for an adopted one, which names none. */
  readonly kid: string | undefined;
  readonly subject: string;
  readonly sessionId: SessionId;
  /** When the session started, Unix ms. */
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
  readonly issuer: string | undefined;
  readonly audience: readonly string[];
  /** The claims that are neither registered nor ours, in the token's order. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Another issuer's token that we take over. */
  readonly adopted: boolean;
  /** A token, of whoever's making, of a session that began with an adopted one. */
  readonly fromElsewhere: boolean;
}

const ttlMs = (kind: TokenKind, policy: Policy): number =>
  kind === 'access' ? policy.accessTtlMs : policy.refreshTtlMs;

/** When the session can last no longer, Unix ms. */
export const sessionEndMs = (startMs: number, policy: Policy): number => startMs + policy.sessionMaxMs;

/**
 * When the token ends, Unix ms. Bounded by today's settings too: what denies a token is kept as long as they say, and
 * no token may outlive what denies it.
 */
export function endsAtMs(token: Token, policy: Policy): number {
  const endMs = Math.min(
    token.expiresAt * 1000,
    token.issuedAt * 1000 + ttlMs(token.kind, policy),
    sessionEndMs(token.startMs, policy),
  );
  return token.adopted ? Math.min(endMs, adoptedEndMs(token.startMs)) : endMs;
}

/** When a token that was adopted has ended, whatever its `exp` and the settings, Unix ms. */
export const adoptedEndMs = (startMs: number): number => startMs + ADOPTED_MAX_MS;

/**
 * Whether the token's time is over or not yet come. Our own tokens are not judged by `iat`, since we know who wrote it
 * by which clock; another issuer's are, with a tolerance.
 */
export function timing(token: Token, policy: Policy, nowMs: number): 'EXPIRED' | 'NOT_YET_VALID' | undefined {
  const toleranceMs = token.adopted ? policy.toleranceMs : 0;
  if (nowMs >= endsAtMs(token, policy) + toleranceMs) return 'EXPIRED';
  // Without tolerance: a pair made past the session's end would be dead at birth.
  if (nowMs >= sessionEndMs(token.startMs, policy)) return 'EXPIRED';
  const fromMs = Math.max(token.notBefore ?? 0, token.adopted ? token.issuedAt : 0) * 1000;
  return nowMs < fromMs - toleranceMs ? 'NOT_YET_VALID' : undefined;
}

/**
 * Until when a token must be denied for it to be dead for good, Unix ms: by its own `exp`, so that a setting that is
 * raised, or lowered and raised again, does not bring it back. Another issuer may write any `exp`; there a bound of our
 * own ends the token.
 */
export const denyUntilMs = (token: Token): number =>
  token.adopted ? Math.min(token.expiresAt * 1000, adoptedEndMs(token.startMs)) : token.expiresAt * 1000;

/** What is answered for one generation of a session; kept in the store, so that a retry gets it again. */
export interface Answered {
  readonly generation: number;
  /** Unix seconds, as are the two ends. */
  readonly issuedAt: number;
  readonly accessExpiresAt: number;
  readonly refreshExpiresAt: number;
  readonly kid: string;
}

/** What a pair made now says of its times. */
export function answerNow(generation: number, startMs: number, kid: string, policy: Policy, nowMs: number): Answered {
  const issuedAt = Math.floor(nowMs / 1000);
  const lastSecond = Math.floor(sessionEndMs(startMs, policy) / 1000);
  const end = (kind: TokenKind): number => Math.min(issuedAt + ttlMs(kind, policy) / 1000, lastSecond);
  return { generation, issuedAt, accessExpiresAt: end('access'), refreshExpiresAt: end('refresh'), kid };
}
