// The callers that wait for an answer, bounded in number and in time: the oldest gives way first.

import { LinkedSet } from '../collections/linked-set.js';
import type { Waiter } from './pending-token.js';

export interface WaitersOptions {
  readonly most: number;
  readonly monotonicMs: () => number;
  /** Called for a caller that has waited too long, or has to make room; it is no longer among those that wait. */
  readonly giveUp: (waiter: Waiter, cause: 'late' | 'crowd') => void;
}

export class Waiters {
  readonly #options: WaitersOptions;
  /** In the order in which they came. */
  readonly #waiters = new LinkedSet<Waiter>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, monotonic ms. */
  #firesMs = 0;

  constructor(options: WaitersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiters.size;
  }

  add(waiter: Waiter): void {
    const { most, giveUp } = this.#options;
    const { oldest } = this.#waiters;
    if (oldest && this.#waiters.size >= most) {
      this.#waiters.delete(oldest);
      giveUp(oldest, 'crowd');
    }
    this.#waiters.add(waiter);
    if (this.#timer === undefined || waiter.untilMs < this.#firesMs) this.#arm(waiter.untilMs);
    else if (this.#waiters.size === 1) this.#timer.ref();
  }

  /** The caller got its answer. */
  delete(waiter: Waiter): void {
    // The timer stays: most callers wait far less than it does, and there is always a next one.
    if (this.#waiters.delete(waiter) && this.#waiters.size === 0) this.#timer?.unref();
  }

  /** Forgets all callers. @returns them */
  clear(): readonly Waiter[] {
    const all = [...this.#waiters.values()];
    this.#waiters.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return all;
  }

  #arm(untilMs: number): void {
    clearTimeout(this.#timer);
    this.#firesMs = untilMs;
    const waitMs = Math.max(1, Math.ceil(untilMs - this.#options.monotonicMs()));
    // One turn later, so that an answer that has arrived is handled first.
    this.#timer = setTimeout(() => setImmediate(() => this.#expire()), waitMs);
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#options.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters.values()) {
      if (waiter.untilMs > nowMs) nextMs = Math.min(nextMs, waiter.untilMs);
      else {
        this.#waiters.delete(waiter);
        this.#options.giveUp(waiter, 'late');
      }
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs);
  }
}

/** Why a caller is given up, for people. @param deadlineMs how long a caller waits */
export function reasonFor({ pending }: Waiter, cause: 'late' | 'crowd', deadlineMs: number): string {
  if (cause === 'crowd') return 'too many callers wait for the service';
  return pending?.failure?.reason ?? `the service did not answer within ${deadlineMs} ms`;
}
