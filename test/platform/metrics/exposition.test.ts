// Tests of metrics as text: the format that the scraper prefers, and one answer for several processes.

import { expect } from 'chai';
import { expose, sumOf } from '../../../src/platform/metrics/exposition.js';
import { ProcessMetrics } from '../../../src/platform/metrics/process-metrics.js';
import type { MetricSnapshot } from '../../../src/platform/metrics/recorders.js';

const metric = (type: string, aggregator: string, value: number): MetricSnapshot => ({
  ...{ name: `a_${type}_${aggregator}`, help: 'A thing', type, aggregator },
  values: [{ value, labels: { kind: 'b' } }],
});
const process = (value: number) =>
  ['sum', 'min', 'max', 'first', 'average', 'omit'].map((aggregator) => metric('gauge', aggregator, value));

describe('metrics as text', () => {
  it('have the format that the scraper prefers, and Prometheus text if it names none', async () => {
    const formats: readonly (readonly [string | undefined, boolean])[] = [
      [undefined, false],
      ['*/*', false],
      ['text/plain', false],
      ['application/openmetrics-text', true],
      ['application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', true],
      ['application/openmetrics-text;q=0.2, text/plain;q=0.5', false],
      ['application/openmetrics-text;q=0', false],
    ];
    for (const [accept, isOpen] of formats) {
      const { contentType, text } = await expose([[metric('counter', 'sum', 1)]], accept);
      expect([contentType.startsWith('application/openmetrics-text'), text.endsWith('# EOF\n')], accept).to.deep.equal([
        isOpen,
        isOpen,
      ]);
    }
  });

  it('merge the values of processes as each metric says, and leave none out', async () => {
    const { text } = await expose([process(1), process(5)], undefined);
    const values = [...text.matchAll(/^a_gauge_(\w+)\{kind="b"\} (\d+)$/gm)].map(([, name, value]) => [name, value]);
    expect(values).to.deep.equal([
      ['sum', '6'],
      ['min', '1'],
      ['max', '5'],
      ['first', '1'],
      ['average', '3'],
      ['omit', '1'],
    ]);
  });

  it('add up what counts, without gauges, as often as asked', async () => {
    const one = [metric('counter', 'sum', 2), metric('gauge', 'sum', 9)];
    const twice = await sumOf([await sumOf([[], one]), one]);
    expect(twice.map(({ name, values }) => [name, values.map(({ value }) => value)])).to.deep.equal([
      ['a_counter_sum', [4]],
    ]);
  });

  it('refuse two metrics of one name', () => {
    const metrics = new ProcessMetrics('1.2.3');
    metrics.counter({ name: 'twice_total', help: 'Twice' });
    expect(() => metrics.counter({ name: 'twice_total', help: 'Twice' })).to.throw('twice_total');
  });

  it('have only numbers, also before anything was measured, so that they can be sent to another process', async () => {
    const snapshot = await new ProcessMetrics('1.2.3').snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).to.deep.equal(snapshot);
    const { text } = await expose([snapshot], undefined);
    expect(text).to.include('latchkey_build_info{version="1.2.3"} 1');
    expect(text).not.to.match(/ (?:NaN|null|undefined)$/m);
  });
});
