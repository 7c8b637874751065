// The time limit on writes. While a write is overdue, the store counts as unreachable.
//
// A hanging disk may still complete a write whose caller got an error. The core does not count such a time for the
// grace window, so it must know about it. Reads continue, because all that is visible is on the disk.

import { OutageLog } from '../../core/durability/outage-log.js';
import { StoreUnavailable } from '../../core/errors.js';

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

  /** Since when no write has been overdue, Unix ms; undefined: a write is overdue, or the store is closed. */
  get sinceMs(): number | undefined {
    return this.#reach.sinceMs;
  }

  /** For how long since a time no write was overdue, ms. */
  reachedMsSince(atMs: number): number {
    return this.#reach.reachedMsSince(atMs, this.#now());
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#reach.watch(listener);
  }

  /** Waits a limited time for a write. @throws StoreUnavailable when it is overdue; it may still be made */
  bound<T>(write: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let overdue = false;
      const giveUp = () => {
        overdue = true;
        this.#overdue++;
        this.#reach.lost(this.#now());
        reject(new StoreUnavailable(`the disk took longer than ${this.#limitMs} ms for a write`));
      };
      // After a pause of the process, timers run before completed writes are seen, so this gives those one more turn.
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

  /** Call it when the store is closed. */
  end(): void {
    this.#overdue = Number.POSITIVE_INFINITY;
    this.#reach.lost(this.#now());
  }
}
