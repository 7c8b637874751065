// Owns the time bound on writes, and what it tells of the disk: while a write is overdue, the store cannot be reached.
//
// A disk that hangs may yet carry out what its caller has given up on. The core counts a retry's grace from the end of
// such a time, so it must be told of it. Reads go on: what is visible is on the disk.

import { StoreUnavailable } from '../../core/errors.js';

export class WriteWatch {
  readonly #limitMs: number;
  readonly #now: () => number;
  readonly #listeners = new Set<(reachable: boolean) => void>();
  #overdue = 0;
  #sinceMs: number | undefined;

  constructor(limitMs: number, now: () => number) {
    this.#limitMs = limitMs;
    this.#now = now;
    this.#sinceMs = now();
  }

  /** Since when no write was overdue, Unix ms; undefined: one is, or the store is closed. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  watch(listener: (reachable: boolean) => void): () => void {
    const entry = (reachable: boolean) => listener(reachable);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Waits for a write, but not for ever. @throws StoreUnavailable when it is overdue; it may still be made */
  bound<T>(write: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let overdue = false;
      const giveUp = () => {
        overdue = true;
        this.#overdue++;
        this.#set(undefined);
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
        if (overdue && --this.#overdue === 0) this.#set(this.#now());
      };
      write.finally(settled).then(resolve, reject);
    });
  }

  /** The store is closed. */
  end(): void {
    this.#overdue = Number.POSITIVE_INFINITY;
    this.#set(undefined);
  }

  #set(sinceMs: number | undefined): void {
    const changed = (this.#sinceMs === undefined) !== (sinceMs === undefined);
    this.#sinceMs = sinceMs;
    if (changed) for (const listener of [...this.#listeners]) listener(sinceMs !== undefined);
  }
}
