// The times of requests to the gateway: how long one may take, and how long to wait after a failure.

/** Well within the ten seconds in which the service answers a repeated refresh with the same pair. */
export const TIMEOUT_MS = 5_000;
/** A pause after a failure is at least half and at most one and a half of this, doubled with each failure. */
export const PAUSE_MS = 200;
/** The longest pause that `Retry-After` may ask for: a proxy may name a day, and the gateway be back in a minute. */
export const MOST_PAUSE_MS = 12_000;
/** A request is repeated after a pause of at most this. After a longer one a new request has to be made. */
export const MOST_WAIT_MS = 2_500;
