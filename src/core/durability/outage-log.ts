// The log of a store's outages, as this process saw them, and its listeners.

interface Outage {
  readonly fromMs: number;
  /** undefined: it still lasts. */
  toMs: number | undefined;
}

/** How many outages are remembered; no rule needs older ones. */
const MOST_OUTAGES = 100;

/** All times are the store's, Unix ms. The time before the first contact counts as an outage. */
export class OutageLog {
  readonly #outages: Outage[] = [{ fromMs: 0, toMs: undefined }];
  readonly #listeners = new Set<(reachable: boolean) => void>();

  /** The time since which the store is reachable without a break; undefined: it is not reachable. */
  get sinceMs(): number | undefined {
    return this.#outages.at(-1)?.toMs;
  }

  /** Ends an outage. @returns whether there was one */
  reached(nowMs: number): boolean {
    const last = this.#outages.at(-1);
    if (!last || last.toMs !== undefined) return false;
    last.toMs = nowMs;
    this.#notify(true);
    return true;
  }

  /** Begins an outage. @returns whether there was none */
  lost(nowMs: number): boolean {
    if (this.sinceMs === undefined) return false;
    this.#outages.push({ fromMs: nowMs, toMs: undefined });
    if (this.#outages.length > MOST_OUTAGES) this.#outages.shift();
    this.#notify(false);
    return true;
  }

  /** How long the store was reachable since then: the time passed, less the outages. */
  reachedMsSince(atMs: number, nowMs: number): number {
    const awayMs = this.#outages.reduce(
      (sum, { fromMs, toMs = nowMs }) => sum + Math.max(0, Math.min(toMs, nowMs) - Math.max(fromMs, atMs)),
      0,
    );
    return Math.max(0, nowMs - atMs - awayMs);
  }

  /** Calls back at each change. Returns a function that stops this. */
  watch(listener: (reachable: boolean) => void): () => void {
    // Wrapped, so that a function that is added twice is removed once.
    const entry = (reachable: boolean) => listener(reachable);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  #notify(reachable: boolean): void {
    for (const listener of [...this.#listeners]) listener(reachable);
  }
}
