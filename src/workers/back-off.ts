// The delay before a crashed worker is restarted, with exponential back-off.

const FIRST_MS = 100;
const MOST_MS = 30_000;
/** A worker that ran for this time did not crash because of its start. */
const STEADY_MS = 60_000;

/** The back-off of one worker slot. Each crash in a row doubles the delay. */
export class BackOff {
  #crashes = 0;

  /** @param livedMs how long the crashed worker had been listening @returns the delay, ms */
  after(livedMs: number): number {
    if (livedMs >= STEADY_MS) this.#crashes = 0;
    return Math.min(FIRST_MS * 2 ** this.#crashes++, MOST_MS);
  }
}
