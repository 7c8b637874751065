// The timer of renewals: a renewal waits a limited time for others, so that one call serves several.

/** The share of the allowed age that a renewal may wait. It begins at 0.8 of that age at the latest. */
const DELAY_SHARE = 0.05;
/** The longest wait, ms: a longer one would hardly save calls. */
export const MAX_RENEWAL_DELAY_MS = 500;

/** @param maxStalenessMs how old the answer may be that is to be renewed */
export const renewalDelayMs = (maxStalenessMs: number): number =>
  Math.min(MAX_RENEWAL_DELAY_MS, maxStalenessMs * DELAY_SHARE);

export class RenewalTimer {
  readonly #monotonicMs: () => number;
  readonly #send: () => void;
  /** Monotonic ms; infinite: none waits. */
  #untilMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(monotonicMs: () => number, send: () => void) {
    this.#monotonicMs = monotonicMs;
    this.#send = send;
  }

  get isUnderWay(): boolean {
    return this.#untilMs < Number.POSITIVE_INFINITY;
  }

  /** Sends what waits after this time, or sooner if something waits that may wait less. */
  within(waitMs: number): void {
    const untilMs = this.#monotonicMs() + waitMs;
    if (untilMs >= this.#untilMs) return;
    this.close();
    this.#untilMs = untilMs;
    this.#timer = setTimeout(() => {
      this.#untilMs = Number.POSITIVE_INFINITY;
      this.#send();
    }, waitMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
