// The rule that decides which calls a busy service takes. Pure: the clock and what the event loop did are arguments.

/**
 * How long calls may wait in a lasting overload, ms. It is also the interval over which waiting is judged: a shorter
 * wait, or a longer one that passes sooner, lowers no limit.
 */
const TARGET_MS = 100;
/** A refusal costs about a tenth of the cheapest call. With more refusals than this for each answer, they fill the event loop. */
const REFUSALS_PER_ANSWER = 10;
/** Places beyond the limit for calls that end a session: a user who gets no answer to a logout may think that it worked. */
const RESERVED_FOR_ENDING = 8;

/** One turn of the event loop, as seen at its end. */
export interface Turn {
  /** When the turn ended, on a clock that is never set. */
  readonly nowMs: number;
  /** The age of the oldest call that was under way in this turn. */
  readonly oldestMs: number;
  /** Whether the event loop had nothing to do for a while before this turn. */
  readonly rested: boolean;
}

/**
 * Takes as many calls as may be under way, however long they wait: a pause of the process or of the store refuses none.
 *
 * The limit falls only in an overload: calls are refused at the limit, and for a whole interval the event loop does not
 * rest and the oldest call is older than the target. As many calls may then be under way as were answered within the
 * target time, which is how many the service can answer in time. The limit is back at its most after an interval in which
 * the event loop rests or no call is refused.
 */
export class LoadShedder {
  readonly #maxCalls: number;
  #limit: number;
  #interval = { startMs: 0, rested: false, youngestMs: 0 };
  #lastAgeMs = 0;
  #answered = 0;
  #refused = 0;

  /** @param maxCalls the most calls that may be under way, beside the reserve for those that end a session */
  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
    this.#limit = maxCalls;
  }

  /** How many calls may be under way now. */
  get limit(): number {
    return this.#limit;
  }

  /** Whether one more call may begin beside those under way. @param ends whether it ends a session */
  admits(underWay: number, ends: boolean): boolean {
    if (underWay < this.#limit + (ends ? RESERVED_FOR_ENDING : 0)) return true;
    this.#refused++;
    return false;
  }

  answered(): void {
    this.#answered++;
  }

  /** To be called at the end of each turn of the event loop that brought calls. */
  endTurn({ nowMs, oldestMs, rested }: Turn): void {
    const interval = this.#interval;
    interval.rested ||= rested;
    interval.youngestMs = Math.min(interval.youngestMs, oldestMs);
    this.#lastAgeMs = oldestMs;
    const tookMs = nowMs - interval.startMs;
    if (tookMs < TARGET_MS) return;
    this.#limit = this.#isOverloaded() ? this.#answeredInTime(tookMs) : this.#maxCalls;
    // The last turn counts for the next interval, too: one long turn by itself, such as a pause, is no lasting wait.
    this.#interval = { startMs: nowMs, rested: false, youngestMs: this.#lastAgeMs };
    this.#answered = 0;
    this.#refused = 0;
  }

  #isOverloaded(): boolean {
    const { rested, youngestMs } = this.#interval;
    if (rested || this.#refused === 0) return false;
    // A low limit keeps waiting near the target: it stays until the overload is over.
    if (this.#limit === this.#maxCalls && youngestMs < TARGET_MS) return false;
    // If refusals fill the event loop, or calls wait for the store, fewer calls under way would not wait less.
    return this.#refused < this.#answered * REFUSALS_PER_ANSWER;
  }

  #answeredInTime(tookMs: number): number {
    const answered = Math.round((this.#answered * TARGET_MS) / tookMs);
    return Math.max(1, Math.min(this.#maxCalls, answered));
  }
}
