// The limits of the revocation log and of what is read from it.

/**
 * How far a log must reach back before a token's `iat`, ms. It covers a call under way, `iat` in whole seconds, and
 * clocks of store servers that differ by less.
 */
export const MARGIN_MS = 10_000;

/** How long an entry of a log is needed beyond ACCESS_TTL, ms. */
const LOG_SLACK_MS = 70_000;

/** How long an entry of a log is needed, ms: as long as an access token that it denies could be active. */
export const logWindowMs = (accessTtlMs: number): number => accessTtlMs + LOG_SLACK_MS;

/** The most entries of one shard that are read at once. */
export const PAGE_ENTRIES = 1_000;
/** The most entries that a node keeps, at about 100 bytes each. Beyond it the oldest are dropped. */
export const MAX_ENTRIES = 200_000;
