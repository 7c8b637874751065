// CLOCK_MONOTONIC, which all processes of a machine share.

/** Milliseconds. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** What to add to such a time for a time of this process's `performance.now()`, ms. */
export const toPerformanceMs = (): number => performance.now() - monotonicMs();
