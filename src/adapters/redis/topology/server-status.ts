// Owns what this process knows of whether Redis can be reached, who is told of each change, and what is logged of it.

import { StoreUnavailable } from '../../core/errors.js';
import { Reach } from '../../core/reach.js';

type LogWrite = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** As much of a logger as the adapter uses. */
export interface Log {
  readonly info: LogWrite;
  readonly warn: LogWrite;
  readonly error: LogWrite;
}

export class Reachability {
  /** Resolves when Redis is reached for the first time; rejects if that was refused, or given up before. */
  readonly opened: Promise<void>;
  readonly #log: Log;
  readonly #reach: Reach;
  /** Whether writes are acknowledged: it is reached, and enough replicas have what is written. */
  readonly #answering: Reach;
  #enough = true;
  readonly #now: () => number;
  #settle: { readonly resolve: () => void; readonly reject: (reason: Error) => void } | undefined;
  #why = 'Redis has not been reached yet';

  /**
   * @param now the store's time, Unix ms; asked for only after the store was reached
   * @param awayFromMs since when it is away, before it is reached first, the store's time, Unix ms
   */
  constructor(log: Log, now: () => number, awayFromMs = 0) {
    this.#reach = new Reach(awayFromMs);
    this.#answering = new Reach(awayFromMs);
    this.#log = log;
    this.#now = now;
    this.opened = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Nobody has to wait for it.
    this.opened.catch(() => {});
  }

  /** Since when without a break, the store's time, Unix ms; undefined: it cannot be reached. */
  get sinceMs(): number | undefined {
    return this.#reach.sinceMs;
  }

  /** Since when it cannot be reached, the store's time, Unix ms; undefined: it can. */
  get awaySinceMs(): number | undefined {
    return this.#reach.awaySinceMs;
  }

  /** Why it cannot be reached, for the log. */
  get why(): string {
    return this.#why;
  }

  /** How long since then Redis was reached, and what was written to it acknowledged, ms. */
  reachedMsSince(atMs: number): number {
    return this.#answering.reachedMsSince(atMs, this.#now());
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#reach.watch(listener);
  }

  reached(): void {
    this.#why = '';
    this.#log.info({}, 'Redis is reachable');
    this.#settle?.resolve();
    if (this.#enough) this.#answering.reached(this.#now());
    this.#reach.reached(this.#now());
  }

  /**
   * Whether enough replicas have what was written.
   * @param sinceMs the last time that they had, the store's time, Unix ms
   */
  replicated(enough: boolean, sinceMs: number): void {
    if (enough === this.#enough || this.sinceMs === undefined) return;
    this.#enough = enough;
    if (enough) {
      this.#answering.reached(this.#now());
      this.#log.info({}, 'enough replicas have what is written');
    } else {
      this.#answering.lost(Math.max(sinceMs, this.sinceMs));
      this.#log.warn({}, 'too few replicas have what is written: nothing is acknowledged');
    }
  }

  /** @param why for the log; while Redis stays away, only another reason is logged */
  lost(why: string): void {
    if (why !== this.#why) this.#log.warn({ detail: why }, 'Redis is not reachable');
    this.#leave(why);
  }

  /** The store is closed. */
  end(): void {
    this.#leave('the store is closed');
    this.refused(new StoreUnavailable('the store is closed'));
  }

  /** Waiting for it is of no use. */
  refused(reason: Error): void {
    this.#settle?.reject(reason);
  }

  #leave(why: string): void {
    this.#why = why;
    if (this.sinceMs === undefined) return;
    this.#answering.lost(this.#now());
    this.#reach.lost(this.#now());
  }
}
