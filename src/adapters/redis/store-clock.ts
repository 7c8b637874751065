// The store's clock as this process estimates it: a lower bound, from the server's TIME and a monotonic clock.

import { StoreUnavailable } from '../../core/errors.js';

/** How far two monotonic clocks may drift apart: adjtime and NTP slew each of them by 0.05 % at most. */
const MAX_DRIFT = 0.001;

/**
 * `now` must never be ahead of a future stamp, or a session could start "after" a cut-off that is written later. The
 * server read its clock before this process received the answer. So that reading, plus the time since the receipt, less
 * the drift, is not ahead of the server's clock. It lags by the network delay, and by a millisecond a second.
 */
export class StoreClock {
  readonly #monotonicMs: () => number;
  #serverMs: number | undefined;
  #receivedAtMs = 0;
  #latestMs = 0;

  /** @param monotonicMs a monotonic clock, ms */
  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Reads the server's time, Unix ms with fractions, and updates the estimate. */
  async sync(ask: () => Promise<number>): Promise<void> {
    const askedAtMs = this.#monotonicMs();
    const serverMs = await ask();
    const receivedAtMs = this.#monotonicMs();
    const estimateMs = this.#at(receivedAtMs) ?? serverMs;
    this.#latestMs = Math.max(this.#latestMs, estimateMs);
    // The higher of two lower bounds is the better one. But one above the highest possible time is not a bound any
    // more: the server's clock was set back, or another server answers.
    const highestMs = serverMs + (receivedAtMs - askedAtMs) * (1 + MAX_DRIFT);
    this.#serverMs = estimateMs > highestMs ? serverMs : Math.max(serverMs, estimateMs);
    this.#receivedAtMs = receivedAtMs;
  }

  /** The store's time, Unix ms. @throws StoreUnavailable before the first sync */
  now(): number {
    const nowMs = this.#at(this.#monotonicMs());
    if (nowMs === undefined) throw new StoreUnavailable('the time of Redis is not known yet');
    return Math.floor(nowMs);
  }

  /** The highest time that was estimated or read, Unix ms; 0: none. It stays if the server's clock is set back. */
  get latestMs(): number {
    return Math.floor(Math.max(this.#latestMs, this.#at(this.#monotonicMs()) ?? 0));
  }

  #at(monotonicMs: number): number | undefined {
    if (this.#serverMs === undefined) return undefined;
    return this.#serverMs + Math.max(0, monotonicMs - this.#receivedAtMs) * (1 - MAX_DRIFT);
  }
}
