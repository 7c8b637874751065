// The times at which rounds begin: at regular intervals, sooner if one is urgent, and one at a time.

import type { Logger } from '../../platform/log.js';

/** How often the logs are read while a client watches, ms. */
const ROUND_EVERY_MS = 25;
/** The least time between the starts of two rounds, ms. */
const ROUND_APART_MS = 5;

export interface RoundTimerParts {
  /** @param beganMs when it began, by the monotonic clock */
  readonly round: (beganMs: number) => Promise<void>;
  /** Whether a client watches. */
  readonly isNeeded: () => boolean;
  readonly log: Pick<Logger, 'error'>;
}

export class RoundTimer {
  readonly #parts: RoundTimerParts;
  #timer: NodeJS.Timeout | undefined;
  #beganMs = Number.NEGATIVE_INFINITY;
  #isUnderWay = false;
  #isUrgent = false;
  #isStopped = false;
  #isFailing = false;

  constructor(parts: RoundTimerParts) {
    this.#parts = parts;
  }

  /** Begins the next round when it is due. */
  schedule(): void {
    if (!this.#mayBegin) return;
    clearTimeout(this.#timer);
    const dueMs = this.#beganMs + (this.#isUrgent ? ROUND_APART_MS : ROUND_EVERY_MS);
    const waitMs = Math.ceil(dueMs - performance.now());
    // In a turn of its own, so that all pings of this turn share the round.
    if (waitMs <= 0) setImmediate(() => void this.#begin());
    else this.#timer = setTimeout(() => void this.#begin(), waitMs);
  }

  /** Begins the next round as soon as it may. */
  hurry(): void {
    if (this.#isUrgent || !this.#parts.isNeeded()) return;
    this.#isUrgent = true;
    this.schedule();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  get #mayBegin(): boolean {
    return !this.#isUnderWay && !this.#isStopped && this.#parts.isNeeded();
  }

  async #begin(): Promise<void> {
    if (!this.#mayBegin) return;
    this.#isUnderWay = true;
    this.#isUrgent = false;
    this.#beganMs = performance.now();
    try {
      await this.#parts.round(this.#beganMs);
      this.#isFailing = false;
    } catch (err) {
      // Once: there are forty rounds a second.
      if (!this.#isFailing) this.#parts.log.error({ err }, 'the logs of ended sessions could not be read and sent');
      this.#isFailing = true;
    }
    this.#isUnderWay = false;
    this.schedule();
  }
}
