// Owns the decision which calls are taken when more come than can be served. Pure: the clock and the turns are handed in.

/**
 * New calls that a turn of the event loop takes under overload. A turn lasts as long as the calls in it, and an answer
 * takes about four turns. So this bounds how long an answer takes, however slow the store may be; a number of calls
 * under way would not. With more of them some more calls would be answered, and each of them later.
 */
const CALLS_A_TURN = 4;
/** What turns have not used is kept for the next ones, up to so many calls: chance makes some turns fuller than others. */
const MAX_ROOM = 4 * CALLS_A_TURN;
/** Calls that end a session may take so much of the room of the turns to come: a user believes to be logged out. */
const ENDING_ROOM = 2 * CALLS_A_TURN;
/** Without a refusal for so long, the next crowd is a burst again. */
const CALM_MS = 1_000;

/**
 * A burst is taken whole: what turns have no room for draws on an allowance. When that is used up and the crowd still
 * comes, it is no burst, and what there is no room for is refused. After a calm the allowance is whole again.
 */
export class Shedding {
  readonly #maxAtOnce: number;
  #allowance: number;
  #room = MAX_ROOM;
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
    const noCrowd = this.#taken <= CALLS_A_TURN || underWay <= CALLS_A_TURN;
    if (noCrowd && nowMs - this.#refusedAtMs >= CALM_MS) this.#allowance = this.#maxAtOnce;
    this.#room = Math.min(this.#room + CALLS_A_TURN, MAX_ROOM);
    this.#underWay = underWay;
    this.#taken = 0;
  }

  /** Whether a call that has come in this turn is taken. @param ends whether it is to end a session */
  takes(ends: boolean, nowMs: number): boolean {
    if (this.begins(ends, this.#underWay + this.#taken) && this.#makeRoom(ends ? ENDING_ROOM : 0)) {
      this.#taken++;
      return true;
    }
    this.#refusedAtMs = nowMs;
    return false;
  }

  /** Whether a call that was taken may begin, with so many under way: its message may have come much later. */
  begins(ends: boolean, underWay: number): boolean {
    return underWay < this.#maxAtOnce + (ends ? ENDING_ROOM : 0);
  }

  #makeRoom(reserve: number): boolean {
    if (this.#room > 0) this.#room--;
    else if (this.#allowance > 0) this.#allowance--;
    else if (this.#room > -reserve) this.#room--;
    else return false;
    return true;
  }
}
