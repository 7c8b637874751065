// The joint state of all workers: their metrics in one answer, and whether at least one of them serves.

import type { MetricSnapshot } from '../platform/metrics/recorders.js';
import type { WorkerHandle } from './worker-handle.js';

/** How long a worker may take to send its metrics. After that its last ones count. */
const ANSWER_MS = 1_000;

type Snapshot = readonly MetricSnapshot[];

export class Overview {
  readonly #handles = new Set<WorkerHandle>();
  readonly #sum: (snapshots: readonly Snapshot[]) => Promise<Snapshot>;
  /** The counts of the workers that have ended: a sum that falls would look like a restart of all. */
  #ended: Promise<Snapshot> = Promise.resolve([]);

  /** @param sum adds up what counts, and leaves out gauges */
  constructor(sum: (snapshots: readonly Snapshot[]) => Promise<Snapshot>) {
    this.#sum = sum;
  }

  /** Follows a worker to its end. */
  track(handle: WorkerHandle): void {
    this.#handles.add(handle);
    void handle.ended.then(() => {
      this.#handles.delete(handle);
      const { metrics } = handle;
      this.#ended = this.#ended.then((before) => this.#sum([before, metrics]));
    });
  }

  /** The metrics of all workers so far. */
  async snapshots(): Promise<readonly Snapshot[]> {
    await Promise.all([...this.#handles].map((handle) => handle.askForMetrics(ANSWER_MS)));
    // Taken in one step with the set, so that a worker that ends meanwhile counts once.
    const [ended, living] = [this.#ended, [...this.#handles].map(({ metrics }) => metrics)];
    return [await ended, ...living];
  }

  /** Whether some worker listens, and has reached its store once. */
  get hasServed(): boolean {
    return [...this.#handles].some(({ hasServed }) => hasServed);
  }

  /** Whether some worker reaches its store now. */
  get reachesStore(): boolean {
    return [...this.#handles].some(({ reachesStore }) => reachesStore);
  }
}
