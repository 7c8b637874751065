// Owns how soon a worker that has crashed is followed by another.

const FIRST_MS = 100;
const MOST_MS = 30_000;
/** Who has lived for so long did not die of its start. */
const STEADY_MS = 60_000;

/** Of one place among the workers: whoever dies in it again and again is followed later and later. */
export class BackOff {
  #crashes = 0;

  /** @param livedMs how long the one that has crashed took connections @returns how long to wait, ms */
  after(livedMs: number): number {
    if (livedMs >= STEADY_MS) this.#crashes = 0;
    return Math.min(FIRST_MS * 2 ** this.#crashes++, MOST_MS);
  }
}
