// Owns the store's time as this process knows it: a lower bound, taken from the server and carried on by a steady clock.

import { StoreUnavailable } from '../../core/errors.js';

/** By how much two steady clocks may run apart: adjtime and NTP slew each of them by 0.05 % at most. */
const MAX_DRIFT = 0.001;

/**
 * `now` must never be ahead of a stamp that is yet to be given, or a session could start "after" a cut-off that is
 * made after it. The server read its clock before its answer was received; so that reading, plus what has passed since
 * the receipt, less the drift, is not ahead of it. It is behind by the answer's way back, and by a millisecond a second.
 */
export class StoreClock {
  readonly #monotonicMs: () => number;
  #serverMs: number | undefined;
  #receivedAtMs = 0;

  /** @param monotonicMs a clock that is never set, ms */
  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Asks the server, and takes over its answer: Unix ms, with fractions. */
  async sync(ask: () => Promise<number>): Promise<void> {
    const askedAtMs = this.#monotonicMs();
    const serverMs = await ask();
    const receivedAtMs = this.#monotonicMs();
    const estimateMs = this.#at(receivedAtMs) ?? serverMs;
    // Of two lower bounds the higher is the better one. But one that is above what the clock can be by now is no bound
    // any more: the server's clock was set back, or another server answers.
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

  #at(monotonicMs: number): number | undefined {
    if (this.#serverMs === undefined) return undefined;
    return this.#serverMs + Math.max(0, monotonicMs - this.#receivedAtMs) * (1 - MAX_DRIFT);
  }
}
