// The queue of calls that wait for a place, by controlled delay (CoDel). Pure: the clock is an argument.

/** How long a call may wait in a queue that empties now and then, ms. A burst, or what has piled up in a pause, is served in it. */
const INTERVAL_MS = 200;
/** How long a call may wait once the queue has not been empty for an interval, ms: what waits then is no burst. */
const TARGET_MS = 20;

/** First in, first out. */
export class WaitQueue<Item> {
  readonly #maxLength: number;
  #waiting: { readonly item: Item; readonly sinceMs: number }[] = [];
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
    const oldestMs = nowMs - this.#mayWaitMs(nowMs);
    const kept = this.#waiting.findIndex(({ sinceMs }) => sinceMs > oldestMs);
    const expired = this.take(kept === -1 ? this.#waiting.length : kept);
    // Turns of a busy loop are long: a queue that each turn fills and empties is no empty one.
    if (this.#waiting.length === 0 && !this.#grew) this.#standingSinceMs = undefined;
    this.#grew = false;
    return expired;
  }

  #mayWaitMs(nowMs: number): number {
    const standing = this.#standingSinceMs !== undefined && nowMs - this.#standingSinceMs >= INTERVAL_MS;
    return standing ? TARGET_MS : INTERVAL_MS;
  }
}
