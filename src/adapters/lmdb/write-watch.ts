// Owns the time bound on writes, and what it tells of the disk: while a write is overdue, the store cannot be reached.
//
// A disk that hangs may yet carry out what its caller has given up on. The core counts a retry's grace from the end of
// such a time, so it must be told of it. Reads go on: what is visible is on the disk.

import { StoreUnavailable } from '../../core/errors.js';
import { OutageLog } from '../../core/outage-log.js';

export class WriteWatch {
  readonly #limitMs: number;
  readonly #now: () => number;
  readonly #reach = new OutageLog();
  #overdue = 0;

  constructor(limitMs: number, now: () => number) {
    this.#limitMs = limitMs;
    this.#now = now;
    this.#reach.reached(now());
  }

  /** Since when no write was overdue, Unix ms; undefined: one is, or the store is closed. */
  get sinceMs(): number | undefined {
    return this.#reach.sinceMs;
  }

  /** How long since then no write was overdue, ms. */
  reachedMsSince(atMs: number): number {
    return this.#reach.reachedMsSince(atMs, this.#now());
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#reach.watch(listener);
  }

  /** Waits for a write, but not for ever. @throws StoreUnavailable when it is overdue; it may still be made */
  bound<T>(write: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let overdue = false;
      const giveUp = () => {
        overdue = true;
        this.#overdue++;
        this.#reach.lost(this.#now());
        reject(new StoreUnavailable(`the disk took longer than ${this.#limitMs} ms for a write`));
      };
      // When this process was held up, timers run before answers are taken in: one that is there already must count.
      let late: NodeJS.Immediate | undefined;
      const timer = setTimeout(() => {
        late = setImmediate(giveUp);
      }, this.#limitMs);
      const settled = () => {
        clearTimeout(timer);
        clearImmediate(late);
        if (overdue && --this.#overdue === 0) this.#reach.reached(this.#now());
      };
      write.finally(settled).then(resolve, reject);
    });
  }

  /** The store is closed. */
  end(): void {
    this.#overdue = Number.POSITIVE_INFINITY;
    this.#reach.lost(this.#now());
  }
}
