// The queue of calls that wait for a place, by controlled delay (CoDel, RFC 8289). Pure: the clock is an argument.

/**
 * How long the queue may stand, ms. What has come in a pause of a second is served in it at half of the load that can be
 * served: after such a pause of the store the queue has stood for a second, and it takes a second more to empty it.
 */
const INTERVAL_MS = 2_000;
/** How long a call may wait once the queue has stood for an interval, ms: what waits then is no burst. */
const TARGET_MS = 20;

/** First in, first out. */
export class WaitQueue<Item> {
  readonly #maxLength: number;
  #waiting: { readonly item: Item; readonly sinceMs: number }[] = [];
  /** Since when the queue has not been empty. */
  #standingSinceMs: number | undefined;
  #grew = false;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** @param nowMs on a clock that is never set. @returns false if the queue is full */
  push(item: Item, nowMs: number): boolean {
    if (this.#waiting.length >= this.#maxLength) return false;
    this.#standingSinceMs ??= nowMs;
    this.#grew = true;
    this.#waiting.push({ item, sinceMs: nowMs });
    return true;
  }

  /** Removes the items that have waited longest. @param count how many at most */
  take(count: number): Item[] {
    return this.#waiting.splice(0, count).map(({ item }) => item);
  }

  /** To be called at the end of each turn of the event loop. @returns the items that have waited too long; they are removed */
  expire(nowMs: number): Item[] {
    const expired = this.#isStanding(nowMs) ? this.take(this.#olderThan(nowMs - TARGET_MS)) : [];
    // Turns of a busy loop are long: a queue that each turn fills and empties is no empty one.
    if (this.#waiting.length === 0 && !this.#grew) this.#standingSinceMs = undefined;
    this.#grew = false;
    return expired;
  }

  #isStanding(nowMs: number): boolean {
    return this.#standingSinceMs !== undefined && nowMs - this.#standingSinceMs >= INTERVAL_MS;
  }

  #olderThan(ms: number): number {
    const younger = this.#waiting.findIndex(({ sinceMs }) => sinceMs > ms);
    return younger === -1 ? this.#waiting.length : younger;
  }
}
