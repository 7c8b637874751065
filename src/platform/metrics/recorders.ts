// What is recorded of each metric between two collections, as numbers in arrays.
// A library's counter costs ten times as much.

import type { Description, Label, Merge } from './meter.js';

/** One value of a metric, in the form of prom-client's `getMetricsAsJSON`. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** The name of the series, if it is not the metric's. */
  readonly metricName?: string;
}

/** A metric with its values, in that form. It can be sent to another process. */
export interface MetricSnapshot extends Description {
  readonly type: string;
  readonly values: readonly Sample[];
  readonly aggregator: string;
}

export interface Recorder {
  snapshot(): MetricSnapshot;
}

/** The upper bounds of the buckets, seconds: from half a millisecond to the longest deadlines. */
export const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;
/** The value of a label for all values that are not declared. */
export const OTHER = 'other';

const valuesOf = ({ values }: Label): readonly string[] => [...values, OTHER];

/** The count of one series. */
class Count {
  value = 0;

  add(count = 1): void {
    this.value += count;
  }
}

export class CounterRecorder implements Recorder {
  readonly #description: Description;
  readonly #label: Label | undefined;
  readonly #counts: Map<string, Count>;

  constructor(description: Description, label?: Label) {
    this.#description = description;
    this.#label = label;
    // A series that exists from the start shows its first increase.
    this.#counts = new Map((label ? label.values : ['']).map((value) => [value, new Count()]));
  }

  of(value: string): Count {
    const found = this.#counts.get(value) ?? this.#counts.get(OTHER);
    if (found) return found;
    const other = new Count();
    this.#counts.set(OTHER, other);
    return other;
  }

  snapshot(): MetricSnapshot {
    const { name, help } = this.#description;
    const label = this.#label?.name;
    const values = [...this.#counts].map(([value, count]) => ({
      value: count.value,
      labels: label === undefined ? {} : { [label]: value },
    }));
    return { name, help, type: 'counter', values, aggregator: 'sum' };
  }
}

/** The observations of one series: a count for each bucket, the last one for all above the highest bound. */
class Series {
  readonly #counts = new Float64Array(BUCKETS_S.length + 1);
  #sum = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BUCKETS_S.length && seconds > (BUCKETS_S[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
  }

  samples(name: string, labels: Readonly<Record<string, string>>): Sample[] {
    let count = 0;
    const buckets = [...this.#counts].map((inBucket, n): Sample => {
      count += inBucket;
      return { value: count, labels: { le: BUCKETS_S[n] ?? '+Inf', ...labels }, metricName: `${name}_bucket` };
    });
    return [
      ...buckets,
      { value: this.#sum, labels, metricName: `${name}_sum` },
      { value: count, labels, metricName: `${name}_count` },
    ];
  }
}

export class HistogramRecorder implements Recorder {
  readonly #description: Description;
  readonly #labels: readonly Label[];
  readonly #series = new Map<string, Map<string, Series>>();
  /** The values of each label that have series of their own. */
  readonly #known: readonly [ReadonlySet<string>, ReadonlySet<string>];

  /** @param labels two at most */
  constructor(description: Description, labels: readonly Label[] = []) {
    this.#description = description;
    this.#labels = labels;
    const [first, second] = labels.map((label) => new Set(valuesOf(label)));
    this.#known = [first ?? new Set(['']), second ?? new Set([''])];
    if (labels.length === 0) this.of();
  }

  of(first = '', second = ''): Series {
    return this.#series.get(first)?.get(second) ?? this.#seriesOf(first, second);
  }

  snapshot(): MetricSnapshot {
    const { name, help } = this.#description;
    const [one, two] = this.#labels;
    const values = [...this.#series].flatMap(([first, bySecond]) =>
      [...bySecond].flatMap(([second, series]) =>
        series.samples(name, { ...(one && { [one.name]: first }), ...(two && { [two.name]: second }) }),
      ),
    );
    return { name, help, type: 'histogram', values, aggregator: 'sum' };
  }

  #seriesOf(first: string, second: string): Series {
    const [isFirst, isSecond] = [this.#known[0].has(first), this.#known[1].has(second)];
    const [row, column] = [isFirst ? first : OTHER, isSecond ? second : OTHER];
    const bySecond = this.#series.get(row) ?? new Map<string, Series>();
    const series = bySecond.get(column) ?? new Series();
    this.#series.set(row, bySecond.set(column, series));
    return series;
  }
}

interface ReadOptions {
  readonly merge: Merge;
  /** `counter`: the value only grows. Default: `gauge`. */
  readonly type?: 'gauge' | 'counter';
}

/** A value that is read at each collection. */
export class GaugeRecorder implements Recorder {
  readonly #description: Description;
  readonly #merge: Merge;
  readonly #type: 'gauge' | 'counter';
  readonly #read: () => number | undefined;
  readonly #labels: Readonly<Record<string, string>>;

  constructor(
    { merge, type = 'gauge', ...description }: Description & ReadOptions,
    read: () => number | undefined,
    labels: Readonly<Record<string, string>> = {},
  ) {
    this.#description = description;
    this.#merge = merge;
    this.#type = type;
    this.#read = read;
    this.#labels = labels;
  }

  snapshot(): MetricSnapshot {
    const { name, help } = this.#description;
    const value = this.#read();
    const values = value === undefined ? [] : [{ value, labels: this.#labels }];
    return { name, help, type: this.#type, values, aggregator: this.#merge };
  }
}
