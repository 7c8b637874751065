// Owns what a process remembers of the starts that it gave to sessions: the latest one, which a cut-off must reach.
//
// A clock that is set back would stamp a cut-off before the start of a session that has just begun, and so miss it.

export class Starts {
  #latestMs = 0;

  /** The latest start, Unix ms; 0 if there was none. */
  get latestMs(): number {
    return this.#latestMs;
  }

  give(startMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, startMs);
  }
}
