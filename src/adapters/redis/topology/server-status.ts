// Whether one Redis server can be used, and why not.

/** As much of a logger as the adapter uses. */
type LogWrite = (fields: Readonly<Record<string, unknown>>, message: string) => void;
export interface Log {
  readonly info: LogWrite;
  readonly warn: LogWrite;
  readonly error: LogWrite;
}

export class ServerStatus {
  readonly #changed: () => void;
  #why = 'Redis has not been reached yet';
  #unsafe: Error | undefined;
  /** Since when acknowledgements fail, the server's time, Unix ms; undefined: enough replicas have what was written. */
  #unconfirmedSinceMs: number | undefined;

  /** @param changed called after each change */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get isUp(): boolean {
    return this.#why === '';
  }

  /** Why it cannot be used; empty: it can. */
  get why(): string {
    return this.#why;
  }

  /** Why it must not be used; undefined: nothing is against it. */
  get unsafe(): Error | undefined {
    return this.#unsafe;
  }

  get unconfirmedSinceMs(): number | undefined {
    return this.#unconfirmedSinceMs;
  }

  reached(): void {
    this.#unsafe = undefined;
    this.#why = '';
    this.#changed();
  }

  lost(why: string): void {
    if (why === this.#why) return;
    this.#why = why;
    this.#changed();
  }

  refused(reason: Error): void {
    this.#unsafe = reason;
    this.#changed();
  }

  /** @param sinceMs the last time that enough replicas had it, the server's time, Unix ms */
  replicated(enough: boolean, sinceMs: number): void {
    if (enough === (this.#unconfirmedSinceMs === undefined)) return;
    this.#unconfirmedSinceMs = enough ? undefined : sinceMs;
    this.#changed();
  }
}
