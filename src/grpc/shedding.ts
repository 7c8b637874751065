// Owns the decision which calls are taken when more come than can be served. Pure: what the event loop does is handed in.

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
/**
 * What each millisecond gives back of the allowance in which the event loop had nothing to do. More than it could have
 * served in it: a loop that comes to rest keeps up with its crowds, however large they are. One with too many calls
 * does not rest.
 */
const CALLS_AN_IDLE_MS = 16;

/**
 * A burst is taken whole: what turns have no room for draws on an allowance. When that is used up and the event loop
 * does not come to rest, it is no burst, and what there is no room for is refused. How many calls wait for the store
 * does not count, up to the most that may be under way: they cost the others nothing.
 */
export class Shedding {
  readonly #maxAtOnce: number;
  #allowance: number;
  #room = MAX_ROOM;
  #idleMs = 0;
  #underWay = 0;
  #taken = 0;

  /** @param maxAtOnce the size of a burst that is taken, and the most calls that may be under way */
  constructor(maxAtOnce: number) {
    this.#maxAtOnce = maxAtOnce;
    this.#allowance = maxAtOnce;
  }

  /**
   * A turn of the event loop begins that brings new calls, with others under way from those before.
   * @param idleMs how long the event loop has waited for something to do, since it began
   */
  beginTurn(underWay: number, idleMs: number): void {
    const rested = (idleMs - this.#idleMs) * CALLS_AN_IDLE_MS;
    this.#allowance = Math.min(this.#allowance + rested, this.#maxAtOnce);
    this.#room = Math.min(this.#room + CALLS_A_TURN, MAX_ROOM);
    this.#idleMs = idleMs;
    this.#underWay = underWay;
    this.#taken = 0;
  }

  /** Whether a call that has come in this turn is taken. @param ends whether it is to end a session */
  takes(ends: boolean): boolean {
    const taken = this.begins(ends, this.#underWay + this.#taken) && this.#makeRoom(ends ? ENDING_ROOM : 0);
    if (taken) this.#taken++;
    return taken;
  }

  /** Whether a call that was taken may begin, with so many under way: its message may have come much later. */
  begins(ends: boolean, underWay: number): boolean {
    return underWay < this.#maxAtOnce + (ends ? ENDING_ROOM : 0);
  }

  #makeRoom(reserve: number): boolean {
    if (this.#room > 0) this.#room--;
    else if (this.#allowance >= 1) this.#allowance--;
    else if (this.#room > -reserve) this.#room--;
    else return false;
    return true;
  }
}
