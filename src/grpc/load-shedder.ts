// The rule for how many calls may be under way. Pure: the clock and what the event loop did are arguments.

/**
 * How long calls may take in a lasting overload, ms. It is also the interval over which their ages are judged: calls that
 * take less, or that take more for a shorter time, lower no limit.
 */
const TARGET_MS = 80;
/** What a refusal costs of the event loop's time, ms, as measured (`npm run bench:overload`). */
const REFUSAL_MS = 0.05;

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
 * Calls up to the most that may be under way are always taken, however long they take: a pause of the process or of the
 * store refuses none of them.
 *
 * The limit falls only in an overload: calls are refused at the limit, and for a whole interval the event loop does not
 * rest and the oldest call is older than the target. As many calls may then be under way as were answered within the
 * target time, which is how many the service can answer in time. The limit is back at its most after an interval in which
 * the event loop rests; after one in which no call is refused or too old it doubles.
 */
export class LoadShedder {
  readonly #maxCalls: number;
  #limit: number;
  #interval = { startMs: 0, rested: false, leastAgeMs: 0 };
  #answered = 0;
  #refused = 0;

  /** @param maxCalls the most calls that may be under way */
  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
    this.#limit = maxCalls;
  }

  /** How many calls may be under way now. */
  get limit(): number {
    return this.#limit;
  }

  /** Counts a call that has ended. */
  answered(): void {
    this.#answered++;
  }

  /** Counts a call that was refused because too many are under way. */
  refused(): void {
    this.#refused++;
  }

  /** To be called at the end of each turn of the event loop that brought calls. */
  endTurn({ nowMs, oldestMs, rested }: Turn): void {
    const interval = this.#interval;
    interval.rested ||= rested;
    interval.leastAgeMs = Math.min(interval.leastAgeMs, oldestMs);
    const tookMs = nowMs - interval.startMs;
    if (tookMs < TARGET_MS) return;
    const next = this.#nextLimit(tookMs);
    // Calls that come together are answered together: some turns bring no answer.
    if (next === 0) return;
    this.#limit = Math.min(this.#maxCalls, next);
    // The last turn counts for the next interval, too: one long turn by itself, such as a pause, is no lasting overload.
    this.#interval = { startMs: nowMs, rested: false, leastAgeMs: oldestMs };
    this.#answered = 0;
    this.#refused = 0;
  }

  #nextLimit(tookMs: number): number {
    const { rested, leastAgeMs } = this.#interval;
    if (rested) return this.#maxCalls;
    if (this.#refused === 0) return leastAgeMs < TARGET_MS ? 2 * this.#limit : this.#limit;
    // A low limit keeps ages near the target: it stays until the overload is over.
    if (this.#limit === this.#maxCalls && leastAgeMs < TARGET_MS) return this.#maxCalls;
    // If refusals fill most of the event loop's time, fewer calls under way would not take less.
    if (this.#refused * REFUSAL_MS >= tookMs / 2) return this.#maxCalls;
    return Math.ceil((this.#answered * TARGET_MS) / tookMs);
  }
}
