// The gathering of renewals: how long one waits for others, so that they go in one call.

/** The share of the allowed age that a renewal may wait. It begins at 0.8 of that age at the latest. */
const GATHER_SHARE = 0.05;
/** The longest wait, ms: a longer one would hardly save calls. */
export const MAX_GATHER_MS = 500;

/** @param maxStalenessMs how old the answer may be that is to be renewed */
export const gatherMs = (maxStalenessMs: number): number => Math.min(MAX_GATHER_MS, maxStalenessMs * GATHER_SHARE);

export class Gathering {
  readonly #steadyMs: () => number;
  readonly #send: () => void;
  /** Monotonic ms; infinite: none waits. */
  #untilMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(steadyMs: () => number, send: () => void) {
    this.#steadyMs = steadyMs;
    this.#send = send;
  }

  get isUnderWay(): boolean {
    return this.#untilMs < Number.POSITIVE_INFINITY;
  }

  /** Sends what waits after this time, or sooner if something waits that may wait less. */
  within(waitMs: number): void {
    const untilMs = this.#steadyMs() + waitMs;
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
