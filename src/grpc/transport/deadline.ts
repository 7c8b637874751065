// The deadline of a call, from the header `grpc-timeout`.

import { parseTimeout } from './head.js';

/** The longest delay of a Node timer. A longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A time, and the timer that calls back at it. */
export class Deadline {
  /** Unix ms. */
  readonly atMs: number;
  readonly #timer: NodeJS.Timeout;

  private constructor(timeoutMs: number, expire: () => void) {
    this.atMs = Date.now() + timeoutMs;
    this.#timer = setTimeout(expire, Math.min(timeoutMs, MAX_TIMER_MS));
  }

  /** @param text the value of the header. @returns undefined if it is invalid */
  static start(text: string, expire: () => void): Deadline | undefined {
    const timeoutMs = parseTimeout(text);
    return timeoutMs === undefined ? undefined : new Deadline(timeoutMs, expire);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
