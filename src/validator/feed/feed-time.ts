// A lower bound of the time of the service's store, from the pongs of the feed. Pure.

import { MARGIN_MS } from '../../core/feed/limits.js';

/** Between pongs the bound advances with the monotonic clock, a little slower, because that clock may be fast. */
const PACE = 0.999;

export class FeedTime {
  #atMs = Number.NEGATIVE_INFINITY;
  #readMs = 0;
  #latestMs = Number.NEGATIVE_INFINITY;

  /** Whether any pong has shown the time. */
  get isKnown(): boolean {
    return this.#latestMs > Number.NEGATIVE_INFINITY;
  }

  /** The time that has certainly passed, Unix ms. @param monotonicMs the monotonic clock now */
  nowMs(monotonicMs: number): number {
    return this.#atMs + (monotonicMs - this.#readMs) * PACE;
  }

  /**
   * Takes in the time of a pong.
   * @param storeTimeMs Unix ms
   * @param sentMs when its ping was sent, and `receivedMs` when it came, by the monotonic clock
   * @returns the highest time that was ever known, if the store's clock was set back from it; else undefined
   */
  observe(storeTimeMs: number, sentMs: number, receivedMs: number): number | undefined {
    const boundMs = this.nowMs(receivedMs);
    const latestMs = Math.max(this.#latestMs, boundMs);
    // It cannot be later than this: the service read its clock after the ping was sent.
    const mostMs = storeTimeMs + (receivedMs - sentMs);
    if (storeTimeMs > boundMs || boundMs > mostMs) {
      this.#atMs = storeTimeMs;
      this.#readMs = receivedMs;
    }
    this.#latestMs = Math.max(latestMs, storeTimeMs);
    return latestMs > mostMs + MARGIN_MS ? latestMs : undefined;
  }

  /** Another store has another clock. */
  clear(): void {
    this.#atMs = Number.NEGATIVE_INFINITY;
    this.#latestMs = Number.NEGATIVE_INFINITY;
  }
}
