// The queue of calls that wait for a place, with controlled delay (CoDel, RFC 8289). Pure: the clock is an argument.

/**
 * How long the queue may be non-empty before old calls are refused, ms. At half of the highest load, a pause of the
 * store of one second fills the queue for that second, and the queue needs one more second to empty.
 */
const INTERVAL_MS = 2_000;
/** How long a call may wait once the queue has been non-empty for an interval, ms: that is an overload, no burst. */
const TARGET_MS = 20;

/** First in, first out. */
export class WaitQueue<Item> {
  readonly #maxLength: number;
  #waiting: { readonly item: Item; readonly sinceMs: number }[] = [];
  /** Since when the queue has not been empty. */
  #nonEmptySinceMs: number | undefined;
  #grew = false;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Whether no overload is being measured. */
  get isCalm(): boolean {
    return this.#nonEmptySinceMs === undefined;
  }

  /** @param nowMs on a monotonic clock. @returns false if the queue is full */
  push(item: Item, nowMs: number): boolean {
    if (this.#waiting.length >= this.#maxLength) return false;
    this.#nonEmptySinceMs ??= nowMs;
    this.#grew = true;
    this.#waiting.push({ item, sinceMs: nowMs });
    return true;
  }

  /** Removes the items that have waited longest. @param count how many at most */
  take(count: number): Item[] {
    return this.#waiting.splice(0, count).map(({ item }) => item);
  }

  /** Call it at the end of each turn of the event loop. @returns the items that have waited too long, removed */
  expire(nowMs: number): Item[] {
    const expired = this.#isOverloaded(nowMs) ? this.take(this.#olderThan(nowMs - TARGET_MS)) : [];
    // The turns of a busy loop are long: a queue that every turn fills and empties does not count as empty.
    if (this.#waiting.length === 0 && !this.#grew) this.#nonEmptySinceMs = undefined;
    this.#grew = false;
    return expired;
  }

  #isOverloaded(nowMs: number): boolean {
    return this.#nonEmptySinceMs !== undefined && nowMs - this.#nonEmptySinceMs >= INTERVAL_MS;
  }

  #olderThan(ms: number): number {
    const younger = this.#waiting.findIndex(({ sinceMs }) => sinceMs > ms);
    return younger === -1 ? this.#waiting.length : younger;
  }
}
