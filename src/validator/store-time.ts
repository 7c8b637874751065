// A lower bound of the time of the service's store, from the times in the tokens themselves. Pure.

import type { Moment } from './freshness.js';

/**
 * The service stamps `iat` by its store's clock, so that clock is past the `iat` of every authentic token. Between
 * tokens the bound advances with the monotonic clock, a little slower, because that clock may be fast.
 */
const PACE = 0.999;

/** The clocks of the store's shards may differ, and so may this machine's, ms. */
const CLOCK_SLACK_MS = 10_000;

export class StoreTime {
  #atMs = Number.NEGATIVE_INFINITY;
  #observedMs = 0;

  /**
   * Takes the time of an authentic token that this service has issued.
   * @param issuedAt Unix seconds
   */
  observe(issuedAt: number, { monotonicMs }: Moment): void {
    if (issuedAt * 1000 <= this.#boundMs(monotonicMs)) return;
    this.#atMs = issuedAt * 1000;
    this.#observedMs = monotonicMs;
  }

  /**
   * A time that has certainly passed, Unix ms: by the store's clock as far as tokens show it, and by this machine's. A
   * single clock that is wrong, theirs or ours, does not make a token expired.
   */
  passedMs({ monotonicMs, wallMs }: Moment): number {
    return Math.min(this.#boundMs(monotonicMs), wallMs) - CLOCK_SLACK_MS;
  }

  #boundMs(monotonicMs: number): number {
    return this.#atMs + (monotonicMs - this.#observedMs) * PACE;
  }
}
