// Tests of what is recorded of each metric: buckets, and series that only declared values make.

import { expect } from 'chai';
import {
  BUCKETS_S,
  CounterRecorder,
  GaugeRecorder,
  HistogramRecorder,
} from '../../../src/platform/metrics/recorders.js';

const WHAT = { name: 'things_total', help: 'Things' };
const KIND = { name: 'kind', values: ['a', 'b'] };

describe('recorders of metrics', () => {
  it('have a counter for each declared value from the start, and one more for all others', () => {
    const counter = new CounterRecorder(WHAT, KIND);
    expect(counter.snapshot().values.map(({ value }) => value)).to.deep.equal([0, 0]);
    counter.of('b').add(2);
    for (let n = 0; n < 1_000; n++) counter.of(`made up ${n}`).add();
    const found = counter.snapshot().values.map(({ labels, value }) => [labels['kind'], value]);
    expect(found).to.deep.equal([
      ['a', 0],
      ['b', 2],
      ['other', 1_000],
    ]);
  });

  it('have a histogram for each pair of declared values that was observed, and no more than those', () => {
    const histogram = new HistogramRecorder(WHAT, [KIND, { name: 'state', values: ['on'] }]);
    expect(histogram.snapshot().values).to.deep.equal([]);
    histogram.of('a', 'on').observe(1);
    for (let n = 0; n < 1_000; n++) {
      histogram.of(`x${n}`, 'on').observe(1);
      histogram.of('b', `y${n}`).observe(1);
      histogram.of(`x${n}`, `y${n}`).observe(1);
    }
    const counts = histogram.snapshot().values.filter(({ metricName }) => metricName === 'things_total_count');
    expect(counts.map(({ labels, value }) => [labels['kind'], labels['state'], value])).to.deep.equal([
      ['a', 'on', 1],
      ['other', 'on', 1_000],
      ['other', 'other', 1_000],
      ['b', 'other', 1_000],
    ]);
  });

  it('count an observation in its bucket and in all above it: a bound belongs to its bucket', () => {
    const histogram = new HistogramRecorder(WHAT);
    for (const seconds of [0, BUCKETS_S[0], 0.5, 6]) histogram.of('', '').observe(seconds);
    const { values } = histogram.snapshot();
    const buckets = new Map(values.map(({ labels, value }) => [labels['le'], value]));
    expect([0.0005, 0.25, 0.5, 5, '+Inf'].map((le) => buckets.get(le))).to.deep.equal([2, 2, 3, 3, 4]);
    expect(values.filter(({ labels }) => !('le' in labels)).map(({ value }) => value)).to.deep.equal([6.5005, 4]);
  });

  it('have no value of a gauge that has none now', () => {
    let value: number | undefined;
    const gauge = new GaugeRecorder({ ...WHAT, merge: 'max' }, () => value);
    expect(gauge.snapshot().values).to.deep.equal([]);
    value = 3;
    expect(gauge.snapshot().values).to.deep.equal([{ value: 3, labels: {} }]);
  });
});
