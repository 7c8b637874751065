// The time slice of batches: all batches together get a short slice of each turn of the event loop.
// So they do not delay other calls, whatever their number.

/** For comparison: to verify the signatures of a thousand new tokens takes a tenth of a second. */
const SLICE_MS = 1;

interface Job {
  /** Runs one step. @returns whether there is another */
  step(): boolean;
  /** Whether its caller still waits. */
  isWanted(): boolean;
  end(isComplete: boolean): void;
}

export class TimeSlicer {
  /** In the order in which they run. */
  readonly #jobs: Job[] = [];
  #turnIsOpen = false;
  #endsMs = 0;

  /**
   * Runs a step for each item, in order: at once while this turn's slice lasts, then in later turns, alternating with
   * other jobs.
   * @param step must not throw
   * @param isWanted checked now and then; if it returns false, the remaining steps are dropped
   * @returns whether all steps ran
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

  /** Continues with the next job, so that a small batch does not wait for the end of a large one. */
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

  /**
   * The next job whose caller still waits. Checked only when its turn comes: to check all jobs each turn was too slow.
   */
  #next(): Job | undefined {
    for (;;) {
      const [job] = this.#jobs;
      if (!job || job.isWanted()) return job;
      this.#jobs.shift();
      job.end(false);
    }
  }
}
