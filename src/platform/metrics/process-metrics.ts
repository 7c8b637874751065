// The metrics of one process: the Meter of its parts, and snapshots of everything that was recorded, with Node's own.

import type {
  Counter,
  CounterBy,
  Description,
  Histogram,
  HistogramBy,
  HistogramByTwo,
  Label,
  Merge,
  Meter,
} from './meter.js';
import { nodeMetrics } from './node-metrics.js';
import { CounterRecorder, GaugeRecorder, HistogramRecorder, type MetricSnapshot, type Recorder } from './recorders.js';

/** How often the delay of the event loop is measured, ms. */
const LOOP_SAMPLE_MS = 100;
export class ProcessMetrics implements Meter {
  readonly #recorders = new Map<string, Recorder>();

  /** @param version of the program */
  constructor(version: string) {
    for (const [name, recorder] of nodeMetrics()) this.#recorders.set(name, recorder);
    this.info({ name: 'latchkey_build_info', help: 'The version of the program' }, { version });
    this.#measureEventLoop();
  }

  counter(description: Description): Counter {
    return this.#add(description, new CounterRecorder(description)).of('');
  }

  counterBy<Value extends string>(description: Description, label: Label<Value>): CounterBy<Value> {
    return this.#add(description, new CounterRecorder(description, label));
  }

  histogram(description: Description): Histogram {
    return this.#add(description, new HistogramRecorder(description)).of();
  }

  histogramBy<Value extends string>(description: Description, label: Label<Value>): HistogramBy<Value> {
    return this.#add(description, new HistogramRecorder(description, [label]));
  }

  histogramByTwo<First extends string, Second extends string>(
    description: Description,
    labels: readonly [Label<First>, Label<Second>],
  ): HistogramByTwo<First, Second> {
    return this.#add(description, new HistogramRecorder(description, labels));
  }

  gauge(description: Description & { readonly merge: Merge }, read: () => number | undefined): void {
    this.#add(description, new GaugeRecorder(description, read));
  }

  info(description: Description, labels: Readonly<Record<string, string>>): void {
    this.#add(description, new GaugeRecorder({ ...description, merge: 'first' }, () => 1, labels));
  }

  /** Everything that was recorded by now. */
  snapshot(): readonly MetricSnapshot[] {
    return [...this.#recorders.values()].map((recorder) => recorder.snapshot());
  }

  /** @throws Error if there is a metric of this name already */
  #add<R extends Recorder>({ name }: Description, recorder: R): R {
    if (this.#recorders.has(name)) throw new Error(`there are two metrics of the name ${name}`);
    this.#recorders.set(name, recorder);
    return recorder;
  }

  #measureEventLoop(): void {
    const delay = this.histogram({
      name: 'latchkey_event_loop_delay_seconds',
      help: 'How late a timer ran, measured ten times a second',
    });
    let lastMs = performance.now();
    setInterval(() => {
      const nowMs = performance.now();
      delay.observe(Math.max(0, nowMs - lastMs - LOOP_SAMPLE_MS) / 1000);
      lastMs = nowMs;
    }, LOOP_SAMPLE_MS).unref();
  }
}
