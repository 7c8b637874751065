// Owns the share of the event loop that batches have: a little of each turn for all of them together, so that they hold
// up nobody beside them, however many there are.

/** A thousand new tokens are a tenth of a second of checking signatures. */
const SLICE_MS = 1;

interface Job {
  /** Takes one step. @returns whether there is another */
  step(): boolean;
  /** Whether somebody still waits for it. */
  isWanted(): boolean;
  end(whole: boolean): void;
}

export class Slices {
  /** Those that are next come first. */
  readonly #jobs: Job[] = [];
  #turnIsOpen = false;
  #endsMs = 0;

  /**
   * Takes a step for each item of some, in order. At once, as long as this turn's slice lasts; then in the turns to come, in turn
   * with the others.
   * @param step must not throw
   * @param isWanted asked now and then; when it says no, the rest is left
   * @returns whether all steps were taken
   */
  each<Item>(items: readonly Item[], step: (item: Item) => void, isWanted: () => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      let at = 0;
      const next = (): boolean => {
        step(items[at++] as Item);
        return at < items.length;
      };
      this.#jobs.push({ step: next, isWanted, end: resolve });
      if (!this.#turnIsOpen) this.#openTurn();
      this.#work();
    });
  }

  #openTurn(): void {
    this.#turnIsOpen = true;
    this.#endsMs = performance.now() + SLICE_MS;
    setImmediate(() => {
      this.#turnIsOpen = false;
      if (this.#jobs.length > 0) this.#goOn();
    });
  }

  /** With the next one: a small batch need not wait for the end of a large one. */
  #goOn(): void {
    const first = this.#jobs.shift();
    if (first) this.#jobs.push(first);
    this.#openTurn();
    this.#work();
  }

  #work(): void {
    let job = this.#next();
    while (job && performance.now() < this.#endsMs) {
      if (job.step()) continue;
      this.#jobs.shift();
      job.end(true);
      job = this.#next();
    }
  }

  /** The first that somebody waits for. Asked when its turn comes: to ask of all in each turn cost as much as a part of the work. */
  #next(): Job | undefined {
    for (;;) {
      const [job] = this.#jobs;
      if (!job || job.isWanted()) return job;
      this.#jobs.shift();
      job.end(false);
    }
  }
}
