// The rules of retries: which failures are tried again, and after how long. Pure.

/** Why an ask got no answer. */
export interface Failure {
  /**
   * `overloaded`: RESOURCE_EXHAUSTED. `unavailable`: the service is there, its store is not. `unreachable`: no answer
   * came, or no connection. `broken`: an answer that a retry at the same server does not change.
   */
  readonly kind: 'overloaded' | 'unavailable' | 'unreachable' | 'broken';
  /** For people; never a part of a token. */
  readonly reason: string;
  /** When the service wants to be asked again, ms from now, if it said so. */
  readonly retryAfterMs: number | undefined;
}

/** A fault of this library. */
export const FAULT: Failure = { kind: 'broken', reason: 'an unexpected error', retryAfterMs: undefined };
export const TOO_FEW: Failure = { ...FAULT, reason: 'the service did not answer for each token' };

/** How often a token is asked about for the same callers. */
export const MAX_TRIES = 4;
/** The same after a `broken` failure: once more, at another server. */
const MAX_BROKEN_TRIES = 2;

/** How often a token is asked about in all after a failure. @param isElsewhere whether another server can be asked */
export function triesAfter({ kind }: Failure, isElsewhere: boolean): number {
  if (kind !== 'broken') return MAX_TRIES;
  return isElsewhere ? MAX_BROKEN_TRIES : 1;
}

const FIRST_BACK_OFF_MS = 50;
const MAX_BACK_OFF_MS = 1_000;
/** How much longer than asked for a retry may wait, so that callers that failed together do not return together. */
const SPREAD = 0.25;

/**
 * The wait before a next try at the same server, ms.
 * @param tries failures in a row, at least 1
 * @param random 0 to 1
 */
export function backOffMs({ retryAfterMs }: Failure, tries: number, random: number): number {
  if (retryAfterMs !== undefined) return retryAfterMs * (1 + SPREAD * random);
  return Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (tries - 1)) * (0.5 + 0.5 * random);
}

/** How long a caller should wait when nothing else is known, ms. */
export const DEFAULT_RETRY_AFTER_MS = 1_000;
