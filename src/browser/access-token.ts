// An access token as the page keeps it, with its times by this machine's clock.

export interface AccessToken {
  readonly text: string;
  /** When it was asked for, Unix ms. */
  readonly atMs: number;
  readonly lifeMs: number;
  /** The age at which to refresh it, ms. */
  readonly refreshAgeMs: number;
}

/**
 * Reads the lifetime out of a token. Its age is measured from the request, by this machine's clock, which may differ
 * from the clock of the service. The share of the life after which to refresh is random, so that tabs and users spread.
 */
export function readAccessToken(text: string, atMs: number): AccessToken {
  const payload = text.split('.')[1] ?? '';
  const { iat, exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')));
  const lifeMs = (exp - iat) * 1000;
  return { text, atMs, lifeMs, refreshAgeMs: lifeMs * (0.72 + 0.16 * Math.random()) };
}
