// The port of metrics: counters, histograms and gauges with labels of known values, without the library behind them.

/** A metric's name, with its unit in it, and what it measures, in one sentence without a full stop. */
export interface Description {
  readonly name: string;
  readonly help: string;
}

/**
 * A label. Its values are fixed beforehand, so that no caller of the service can make series. A value that is not among
 * them counts as `other`.
 */
export interface Label<Value extends string = string> {
  readonly name: string;
  readonly values: readonly Value[];
}

export interface Counter {
  add(count?: number): void;
}

/** A counter for each value of a label. */
export interface CounterBy<Value extends string> {
  /** Keep it where it is used often. */
  of(value: Value): Counter;
}

export interface Histogram {
  observe(seconds: number): void;
}

/** A histogram for each value of a label. A value has no series before its first observation. */
export interface HistogramBy<Value extends string> {
  /** Keep it where it is used often. */
  of(value: Value): Histogram;
}

/** The same for each pair of values of two labels. */
export interface HistogramByTwo<First extends string, Second extends string> {
  /** Keep it where it is used often. */
  of(first: First, second: Second): Histogram;
}

/** How the values of several worker processes become one. */
export type Merge = 'sum' | 'min' | 'max' | 'first';

export interface Meter {
  counter(description: Description): Counter;
  counterBy<Value extends string>(description: Description, label: Label<Value>): CounterBy<Value>;
  /** A histogram of durations in seconds. */
  histogram(description: Description): Histogram;
  histogramBy<Value extends string>(description: Description, label: Label<Value>): HistogramBy<Value>;
  histogramByTwo<First extends string, Second extends string>(
    description: Description,
    labels: readonly [Label<First>, Label<Second>],
  ): HistogramByTwo<First, Second>;
  /** @param read called at each collection; undefined: there is no value now */
  gauge(description: Description & { readonly merge: Merge }, read: () => number | undefined): void;
  /** A gauge with the value 1, which carries its information in its labels. */
  info(description: Description, labels: Readonly<Record<string, string>>): void;
}
