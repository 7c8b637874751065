// Draws docs/trace.svg: the spans of one refresh, from the request at the gateway to the commands of Redis.

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../docs/markdown.js';
import { pairIn } from '../e2e/browser.js';
import { Stage } from '../e2e/stage.js';
import { OtlpReceiver, type SentSpan } from '../monitoring/otlp-receiver.js';
import { COLOURS, element, picture, text } from './svg.js';

const [WIDTH, LEFT, TOP, ROW, LABELS] = [760, 12, 50, 34, 300];
const SPANS = 5;
/** Refreshes before those that are traced, and how many are: the median is drawn. */
const [WARM_UP, TRACED] = [200, 49];

const microseconds = (nano: string): number => Number(BigInt(nano) / 1000n);

/** How long the whole request took, µs. */
const lengthOf = ([request]: readonly SentSpan[]): number =>
  request ? microseconds(request.endTimeUnixNano) - microseconds(request.startTimeUnixNano) : 0;

/** Which process has made a span, and its colour. */
const partOf = ({ name, kind }: SentSpan): readonly [string, string] => {
  if (name.startsWith('EVAL')) return ['Redis, as the service sees it', COLOURS[2]];
  const isGateway = kind === 3 || name.startsWith('POST');
  return isGateway ? ['gateway', COLOURS[0]] : ['service', COLOURS[1]];
};

function draw(spans: readonly SentSpan[]): string {
  const startUs = Math.min(...spans.map(({ startTimeUnixNano }) => microseconds(startTimeUnixNano)));
  const endUs = Math.max(...spans.map(({ endTimeUnixNano }) => microseconds(endTimeUnixNano)));
  const wide = WIDTH - LABELS - 80;
  const x = (us: number): number => LABELS + (wide * (us - startUs)) / (endUs - startUs);
  const depthOf = ({ parentSpanId }: SentSpan): number => {
    const parent = spans.find(({ spanId }) => spanId === parentSpanId);
    return parent ? depthOf(parent) + 1 : 0;
  };
  const rows = spans.flatMap((span, n) => {
    const [fromUs, toUs] = [microseconds(span.startTimeUnixNano), microseconds(span.endTimeUnixNano)];
    const [part, colour] = partOf(span);
    const y = TOP + n * ROW;
    return [
      element('line', { class: 'grid', x1: LEFT, x2: WIDTH - LEFT, y1: y + ROW - 4, y2: y + ROW - 4 }),
      text(LEFT + depthOf(span) * 14, y + 12, span.name, { class: 'title' }),
      text(LEFT + depthOf(span) * 14, y + 24, part, { class: 'small faint' }),
      element('rect', {
        x: x(fromUs),
        y: y + 4,
        width: Math.max(2, x(toUs) - x(fromUs)),
        height: 16,
        rx: 2,
        fill: colour,
      }),
      text(x(toUs) + 5, y + 16, `${((toUs - fromUs) / 1000).toFixed(2)} ms`, { class: 'small' }),
    ];
  });
  const head = [
    text(LEFT, 20, 'One refresh, from the gateway to Redis', { class: 'title' }),
    text(LEFT, 36, `trace ${spans[0]?.traceId}, ${((endUs - startUs) / 1000).toFixed(2)} ms, the median of ${TRACED}`, {
      class: 'faint small',
    }),
  ];
  const names = spans.map(({ name }) => name).join(', ');
  return picture(WIDTH, TOP + spans.length * ROW + 6, `The spans of one refresh, by their starts: ${names}`, [
    ...head,
    ...rows,
  ]);
}

const stage = new Stage();
try {
  const otlp = await OtlpReceiver.start();
  stage.owns(() => otlp.stop());
  const node = await stage.serve(await stage.redis(), otlp.env);
  const browser = await stage.gateway(node, otlp.env);
  let { refreshToken } = await node.client.issue();
  for (let n = 0; n < WARM_UP; n++) refreshToken = pairIn(await browser.refresh(refreshToken)).refresh;
  const traces: (readonly SentSpan[])[] = [];
  for (let n = 0; n < TRACED; n++) {
    const traceId = randomBytes(16).toString('hex');
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    refreshToken = pairIn(await browser.refresh(refreshToken, headers)).refresh;
    traces.push(await otlp.trace(traceId, SPANS));
  }
  const median = traces.sort((a, b) => lengthOf(a) - lengthOf(b))[Math.floor(TRACED / 2)] ?? [];
  writeFileSync(join(ROOT, 'docs/trace.svg'), draw(median));
} finally {
  await stage.clear();
}
