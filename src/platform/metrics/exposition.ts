// Snapshots of metrics as text: one answer for all processes, in the format that the scraper prefers.

import { AggregatorRegistry, type OpenMetricsContentType, Registry } from 'prom-client';
import type { MetricSnapshot } from './recorders.js';

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

const OPENMETRICS = 'application/openmetrics-text';

/** @param snapshots one of each process @param accept the header of the request */
export async function expose(
  snapshots: readonly (readonly MetricSnapshot[])[],
  accept: string | undefined,
): Promise<Exposition> {
  const isOpen = prefersOpenMetrics(accept ?? '');
  const registry = AggregatorRegistry.aggregate<OpenMetricsContentType>(
    snapshots.map((metrics) =>
      metrics.map((metric) => ({ ...metric, ...aggregation(metric), ...family(metric, isOpen) })),
    ),
  );
  if (isOpen) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const text = await registry.metrics();
  return { contentType: isOpen ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE, text };
}

/** The sum of counters and histograms of several processes. Gauges are left out. */
export async function sumOf(snapshots: readonly (readonly MetricSnapshot[])[]): Promise<readonly MetricSnapshot[]> {
  const counts = snapshots.map((metrics) => metrics.filter(({ type }) => type !== 'gauge'));
  const summed = await AggregatorRegistry.aggregate(counts).getMetricsAsJSON();
  return summed.map((metric) => ({
    ...metric,
    type: String(metric.type),
    values: metric.values as MetricSnapshot['values'],
  }));
}

/** The library leaves out what it does not know how to merge. Then the value of the process that answers is shown. */
const aggregation = ({ aggregator }: MetricSnapshot) => (aggregator === 'omit' ? { aggregator: 'first' } : {});

/** In OpenMetrics the name of a counter has no suffix; its series have it, and the library adds it to them. */
const family = ({ name, type }: MetricSnapshot, isOpen: boolean) =>
  isOpen && type === 'counter' ? { name: name.replace(/_total$/, '') } : {};

/** Whether the scraper prefers OpenMetrics to the Prometheus text (RFC 9110, section 12.5.1). */
function prefersOpenMetrics(accept: string): boolean {
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { type, quality: quality === undefined ? 1 : Number(quality) || 0 };
  });
  const best = (type: string): number =>
    Math.max(0, ...ranges.filter((each) => each.type === type).map((each) => each.quality));
  return best(OPENMETRICS) > 0 && best(OPENMETRICS) >= best('text/plain');
}
