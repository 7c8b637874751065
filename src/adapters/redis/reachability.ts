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
  readonly #reach = new Reach();
  readonly #now: () => number;
  #settle: { readonly resolve: () => void; readonly reject: (reason: Error) => void } | undefined;
  #why = 'Redis has not been reached yet';

  /** @param now the store's time, Unix ms; asked for only after the store was reached */
  constructor(log: Log, now: () => number) {
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

  /** Why it cannot be reached, for the log. */
  get why(): string {
    return this.#why;
  }

  /** How long since then Redis was reached, ms. */
  reachedMsSince(atMs: number): number {
    return this.#reach.reachedMsSince(atMs, this.#now());
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#reach.watch(listener);
  }

  reached(): void {
    this.#why = '';
    this.#log.info({}, 'Redis is reachable');
    this.#settle?.resolve();
    this.#reach.reached(this.#now());
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
    if (this.sinceMs !== undefined) this.#reach.lost(this.#now());
  }
}
