// Owns what this process knows of whether Redis can be reached, who is told of each change, and what is logged of it.

import { StoreUnavailable } from '../../core/errors.js';

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
  readonly #listeners = new Set<(reachable: boolean) => void>();
  #settle: { readonly resolve: () => void; readonly reject: (reason: Error) => void } | undefined;
  #sinceMs: number | undefined;
  #why = 'Redis has not been reached yet';

  constructor(log: Log) {
    this.#log = log;
    this.opened = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Nobody has to wait for it.
    this.opened.catch(() => {});
  }

  /** Since when without a break, the store's time, Unix ms; undefined: it cannot be reached. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** Why it cannot be reached, for the log. */
  get why(): string {
    return this.#why;
  }

  watch(listener: (reachable: boolean) => void): () => void {
    // Wrapped, so that a function that watches twice stops once.
    const entry = (reachable: boolean) => listener(reachable);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  reached(sinceMs: number): void {
    this.#sinceMs = sinceMs;
    this.#why = '';
    this.#log.info({}, 'Redis is reachable');
    this.#settle?.resolve();
    this.#tell(true);
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
    if (this.#sinceMs === undefined) return;
    this.#sinceMs = undefined;
    this.#tell(false);
  }

  #tell(reachable: boolean): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(reachable);
      } catch (err) {
        this.#log.error({ err }, 'a listener to the reachability of Redis failed');
      }
    }
  }
}
