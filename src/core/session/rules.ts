// The settings by which sessions are refreshed and ended, and the fixed limits of their entries.

/** The settings that decide on sessions beyond their tokens. Times are in milliseconds. */
export interface SessionRules {
  /** How long a retry of a refresh gets the same successor. */
  readonly graceMs: number;
  /** The start from which adopted sessions are accepted, Unix ms; written into the birth records of a new store. */
  readonly adoptedSinceMs: number | undefined;
  /** The `client_id` of sessions that are issued without one; undefined: their tokens carry none. */
  readonly clientId: string | undefined;
}

/**
 * The most by which an outage of the store or of the node extends the grace window, ms. A longer one would let any
 * restart accept tokens that were used long ago.
 */
export const MOST_PAUSE_MS = 10 * 60 * 1000;

/** How long every entry is kept beyond its use, ms: more than any tolerance, clock step or long call. */
export const SLACK_MS = 60 * 60 * 1000;
