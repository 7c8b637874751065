// The rule for how many calls may be under way. Pure: the times and what the event loop did are arguments.

/** The age of the oldest call at which fewer may be under way, at least, ms of processor time. */
const TOO_OLD_MS = 200;
/**
 * The same for each call that may be under way, ms. More than twice what a refresh costs: calls of the usual cost do not get
 * that old, however slow the machine, the store or the client may be.
 */
const TOO_DEAR_MS = 0.8;
/** How long calls may take then, ms of processor time. It is also the interval over which their ages are judged. */
const TARGET_MS = 80;
/** What a refusal costs of the event loop's time, ms, as measured (`npm run bench:overload`). */
const REFUSAL_MS = 0.05;

/** One turn of the event loop, as seen at its end. */
export interface Turn {
  /** When the turn ended, in processor time that the process has used. */
  readonly nowMs: number;
  /** The age of the oldest call that was under way in this turn: the processor time that was used since it came. */
  readonly oldestMs: number;
  /** Whether the event loop had nothing to do for a while before this turn. */
  readonly rested: boolean;
}

/**
 * The limit falls only when calls wait for the processor: for a whole interval the event loop does not rest, and the oldest
 * call is too old. As many calls may then be under way as are answered within the target time. The limit is back at its
 * most after an interval in which the event loop rests; after one in which no call waits for a place and none is above the
 * target it doubles.
 *
 * Processor time does not pass in a pause of the process, of the store or of the machine: none of them lowers the limit.
 */
export class LoadShedder {
  readonly #maxCalls: number;
  readonly #tooOldMs: number;
  #limit: number;
  #interval = { startMs: 0, rested: false, leastAgeMs: 0 };
  #answered = 0;
  #refused = 0;
  #exceeded = false;

  /** @param maxCalls the most calls that may be under way */
  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
    this.#tooOldMs = Math.max(TOO_OLD_MS, maxCalls * TOO_DEAR_MS);
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

  /** Notes that a call waits for a place, or is refused. */
  exceeded(): void {
    this.#exceeded = true;
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
    this.#exceeded = false;
  }

  #nextLimit(tookMs: number): number {
    const { rested, leastAgeMs } = this.#interval;
    const isLow = this.#limit < this.#maxCalls;
    if (rested || (!isLow && leastAgeMs < this.#tooOldMs)) return this.#maxCalls;
    // A low limit keeps ages near the target: it stays until the overload is over.
    if (isLow && !this.#exceeded) return leastAgeMs < TARGET_MS ? 2 * this.#limit : this.#limit;
    // If refusals fill most of the event loop's time, fewer calls under way would not take less.
    if (this.#refused * REFUSAL_MS >= tookMs / 2) return this.#limit;
    return Math.ceil((this.#answered * TARGET_MS) / tookMs);
  }
}
