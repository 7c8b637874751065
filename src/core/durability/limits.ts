// The limits of writes and of the memory of what was acknowledged.

/**
 * How long a process remembers the entries that it has acknowledged, to restore them in a store that has lost writes,
 * ms. Longer than a failover takes.
 */
export const LEDGER_MS = 10 * 60 * 1000;
/** The most refreshed sessions that a process remembers. A record takes up to 830 bytes of memory. */
export const MAX_ROTATIONS = 50_000;
/**
 * The most ended sessions and subjects that a process remembers. The far more frequent refreshes do not displace them.
 */
export const MAX_DENIALS = 50_000;

/** The age from which a call writes nothing, ms: its caller has given up, and may be retrying. */
export const MAX_WRITE_AGE_MS = 2_000;
/** How often an operation is tried if its entry keeps changing. */
export const MAX_ATTEMPTS = 5;
