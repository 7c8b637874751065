// The rules of retries: which failures are tried again, and after how long. Pure.

/** Why a call got no answer for a token. */
export interface Failure {
  /**
   * `overloaded`: RESOURCE_EXHAUSTED. `unavailable`: the service is there, its store is not. `unreachable`: no answer
   * came, or no connection. `broken`: an answer that a retry at the same server does not change.
   */
  readonly kind: 'overloaded' | 'unavailable' | 'unreachable' | 'broken';
  /** For people; never a part of a token. */
  readonly reason: string;
  /** The delay before a retry that the service sent, ms; undefined: none. */
  readonly retryAfterMs: number | undefined;
}

/** A fault of this library. */
export const FAULT: Failure = { kind: 'broken', reason: 'an unexpected error', retryAfterMs: undefined };
export const TOO_FEW: Failure = { ...FAULT, reason: 'the service did not answer for each token' };

/** How many calls may be made about a token for the same callers. */
export const MAX_TRIES = 4;
/** The same after a `broken` failure: once more, at another server. */
const MAX_BROKEN_TRIES = 2;

/** How many calls may be made about a token after a failure. @param isElsewhere whether there is another server */
export function triesAfter({ kind }: Failure, isElsewhere: boolean): number {
  if (kind !== 'broken') return MAX_TRIES;
  return isElsewhere ? MAX_BROKEN_TRIES : 1;
}

const FIRST_BACK_OFF_MS = 50;
const MAX_BACK_OFF_MS = 1_000;
/**
 * How much longer than the sent delay a retry may wait, so that callers that failed together do not return together.
 */
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
