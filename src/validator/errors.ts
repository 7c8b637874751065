// The error for a token whose state is unknown: neither active nor inactive.

/** It is unknown whether the token is active. Answer 503 with Retry-After over HTTP, UNAVAILABLE over gRPC. */
export class CannotTell extends Error {
  readonly code = 'CANNOT_TELL';
  override readonly name = 'CannotTell';
  /** When to try again, ms from now. */
  readonly retryAfterMs: number;

  /** @param reason what failed, for the log; never a part of a token */
  constructor(reason: string, retryAfterMs: number) {
    super(`it is unknown whether the token is active: ${reason}; try again in ${Math.ceil(retryAfterMs)} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** By its code: an application may have two copies of this package, each with a class of its own. */
export const isCannotTell = (error: unknown): error is CannotTell =>
  error instanceof Error && (error as Partial<CannotTell>).code === 'CANNOT_TELL';
