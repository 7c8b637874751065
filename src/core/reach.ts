// Owns what a process remembers of reaching its store: whether it does now, for how long it did, and who is told.

interface Outage {
  readonly fromMs: number;
  /** undefined: it lasts. */
  toMs: number | undefined;
}

/** Older outages matter to no rule; so many in a row are enough to remember. */
const MOST_OUTAGES = 100;

/** All times are the store's, Unix ms. Before its first reach a process counts as away. */
export class Reach {
  readonly #outages: Outage[] = [{ fromMs: 0, toMs: undefined }];
  readonly #listeners = new Set<(reachable: boolean) => void>();

  /** Since when without a break; undefined: it is away. */
  get sinceMs(): number | undefined {
    return this.#outages.at(-1)?.toMs;
  }

  /** @returns whether that is new */
  reached(nowMs: number): boolean {
    const last = this.#outages.at(-1);
    if (!last || last.toMs !== undefined) return false;
    last.toMs = nowMs;
    this.#tell(true);
    return true;
  }

  /** @returns whether that is new */
  lost(nowMs: number): boolean {
    if (this.sinceMs === undefined) return false;
    this.#outages.push({ fromMs: nowMs, toMs: undefined });
    if (this.#outages.length > MOST_OUTAGES) this.#outages.shift();
    this.#tell(false);
    return true;
  }

  /** How long since then the store was reached: what has passed, less what was spent away. */
  reachedMsSince(atMs: number, nowMs: number): number {
    const awayMs = this.#outages.reduce(
      (sum, { fromMs, toMs = nowMs }) => sum + Math.max(0, Math.min(toMs, nowMs) - Math.max(fromMs, atMs)),
      0,
    );
    return Math.max(0, nowMs - atMs - awayMs);
  }

  /** Calls back at each change. Returns the way to stop that. */
  watch(listener: (reachable: boolean) => void): () => void {
    // Wrapped, so that a function that watches twice stops once.
    const entry = (reachable: boolean) => listener(reachable);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  #tell(reachable: boolean): void {
    for (const listener of [...this.#listeners]) listener(reachable);
  }
}
