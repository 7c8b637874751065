// An access token as the page keeps it, with its age by this machine's clocks.

export interface AccessToken {
  readonly text: string;
  /** The share of its life that has passed: from 1 on it has expired. */
  readonly age: () => number;
}

/**
 * Reads the lifetime out of a token. Its age is measured from the request, by this machine's clocks, which may differ
 * from that of the service.
 * @param atMs when it was asked for, Unix ms; without `iat`, its life begins then
 * @throws Error if it is no JWT
 */
export function readAccessToken(text: string, atMs: number): AccessToken {
  const payload = text.split('.')[1] ?? '';
  const { iat = atMs / 1000, exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')));
  const lifeMs = Math.max(exp - iat, 0) * 1000;
  const readMs = performance.now();
  return {
    text,
    // The first clock may be set back; the second may stop while the machine sleeps.
    age: () => Math.max(Date.now() - atMs, performance.now() - readMs) / lifeMs,
  };
}
