// Owns the decision which calls are taken when more come than can be served. Pure: the clock and the turns are handed in.

/**
 * New calls that one turn of the event loop takes once it sheds. An answer takes about four turns, and a turn lasts as
 * long as the calls in it: this, not a number of calls under way, bounds how long an answer takes, however slow the
 * store is meanwhile. More would serve some more calls, each of them later.
 */
const CALLS_A_TURN = 6;
/** Without a refusal for so long, the next crowd is a burst again. */
const CALM_MS = 1_000;
/** How much more room calls have that end a session: a refused one is safe, but the user believes to be logged out. */
const ENDING_SHARE = 2;

/**
 * A burst is taken whole: calls beyond a turn's share draw on an allowance. When that is used up and the crowd still
 * comes, it is no burst, and what is beyond the share is refused. The allowance is whole again after a calm.
 */
export class Shedding {
  readonly #maxAtOnce: number;
  #allowance: number;
  #underWay = 0;
  #taken = 0;
  #refusedAtMs = Number.NEGATIVE_INFINITY;

  /** @param maxAtOnce the size of a burst that is taken, and the most calls that may be under way */
  constructor(maxAtOnce: number) {
    this.#maxAtOnce = maxAtOnce;
    this.#allowance = maxAtOnce;
  }

  /** A turn of the event loop begins, with calls under way from those before. */
  beginTurn(underWay: number, nowMs: number): void {
    const drained = this.#taken <= CALLS_A_TURN || underWay <= CALLS_A_TURN;
    if (drained && nowMs - this.#refusedAtMs >= CALM_MS) this.#allowance = this.#maxAtOnce;
    this.#underWay = underWay;
    this.#taken = 0;
  }

  /** Whether a call that has come in this turn is taken. @param ends whether it is to end a session */
  takes(ends: boolean, nowMs: number): boolean {
    const share = ends ? ENDING_SHARE : 1;
    const fits = this.#underWay + this.#taken < this.#maxAtOnce * share;
    if (fits && (this.#taken < CALLS_A_TURN * share || this.#draw())) {
      this.#taken++;
      return true;
    }
    this.#refusedAtMs = nowMs;
    return false;
  }

  #draw(): boolean {
    if (this.#allowance === 0) return false;
    this.#allowance--;
    return true;
  }
}
