// Draws docs/dashboard.svg: the panels of the dashboard, filled by a real Prometheus while faults go by.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Line } from '../alerts/prometheus.js';
import { Scene } from '../alerts/scene.js';
import { ROOT } from '../docs/markdown.js';
import { elapse } from '../support/waiting.js';
import { COLOURS, element, picture, text } from './svg.js';

interface Panel {
  readonly title: string;
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

/** A fault, and when it was there, Unix seconds. */
interface Band {
  readonly name: string;
  readonly fromS: number;
  readonly toS: number;
}

const [COLUMNS, WIDTH, HEIGHT, MARGIN, TOP] = [3, 330, 160, 10, 44];
/** The plot within a panel. */
const PLOT = { left: 44, top: 26, width: WIDTH - 54, height: 96 };
const MOST_LINES = 8;
/** The window of rates: a few scrapes. */
const RATE = '5s';
const CALM_MS = 9_000;

const nowS = (): number => Date.now() / 1000;

const UNITS: Readonly<Record<string, (value: number) => string>> = {
  s: (value) =>
    value >= 600 ? `${Math.round(value / 60)} min` : value >= 1 ? `${short(value)} s` : `${short(value * 1000)} ms`,
  bytes: (value) => `${Math.round(value / 1024 ** 2)} MiB`,
  percentunit: (value) => `${Math.round(value * 100)} %`,
  reqps: (value) => `${short(value)}/s`,
};
const short = (value: number): string =>
  value === 0 || value >= 10 ? String(Math.round(value)) : value.toPrecision(2);

/** Runs the scene, with each fault for a while. */
async function run(
  scene: Scene,
): Promise<{ readonly startS: number; readonly endS: number; readonly bands: readonly Band[] }> {
  const bands: Band[] = [];
  const band = async (name: string, fault: () => Promise<unknown>): Promise<void> => {
    const fromS = nowS();
    await fault();
    bands.push({ name, fromS, toS: nowS() });
    await elapse(CALM_MS, 'the picture shows calm between faults');
  };
  await elapse(CALM_MS, 'the picture shows calm between faults');
  const startS = nowS();
  await elapse(CALM_MS, 'the picture shows calm between faults');
  await band('overload', () => scene.flood(elapse(CALM_MS, 'the overload lasts')));
  await band('misuse', () => scene.misuse());
  await band('lost writes', () => scene.loseWrites());
  await band('Redis full', async () => {
    await scene.redis.raw.config('SET', 'maxmemory', '1');
    await elapse(CALM_MS, 'the fault lasts');
    await scene.redis.raw.config('SET', 'maxmemory', '0');
  });
  await band('Redis gone', async () => {
    scene.pause();
    await scene.redis.raw.save();
    await scene.redis.kill();
    scene.resume();
    await elapse(CALM_MS, 'the fault lasts');
    await scene.redis.restart();
  });
  return { startS, endS: nowS(), bands };
}

/** An expression of the dashboard, with its variables replaced as Grafana does. */
const filled = (expr: string): string =>
  expr.replaceAll('$__rate_interval', RATE).replaceAll('"$job"', '".*"').replaceAll('"$instance"', '".*"');

const nameOf = (legend: string, { metric }: Line): string =>
  legend.replace(/\{\{(\w+)\}\}/g, (_all, label: string) => metric[label] ?? '');

function draw(
  panel: Panel,
  lines: readonly (readonly [name: string, line: Line])[],
  span: { startS: number; endS: number; bands: readonly Band[] },
): string[] {
  const { left, top, width, height } = PLOT;
  const valuesOf = ({ values }: Line): (readonly [number, number])[] =>
    values.map(([atS, value]) => [atS, Number(value)] as const).filter(([, value]) => Number.isFinite(value));
  const peak = ({ values }: Line): number => Math.max(0, ...valuesOf({ values, metric: {} }).map(([, value]) => value));
  const shown = lines.toSorted((a, b) => peak(b[1]) - peak(a[1])).slice(0, MOST_LINES);
  const most = Math.max(...shown.map(([, line]) => peak(line)), 0) * 1.08 || 1;
  const x = (atS: number): number => left + (width * (atS - span.startS)) / (span.endS - span.startS);
  const y = (value: number): number => top + height - (height * value) / most;
  const format = UNITS[panel.fieldConfig.defaults.unit] ?? short;
  const bands = span.bands.map(({ fromS, toS }) =>
    element('rect', { class: 'band', x: x(fromS), y: top, width: Math.max(2, x(toS) - x(fromS)), height }),
  );
  const axis = [0, 0.5, 1].flatMap((part) => [
    element('line', { class: 'grid', x1: left, x2: left + width, y1: y(part * most), y2: y(part * most) }),
    text(left - 4, y(part * most) + 3, format(part * most), { class: 'small faint', 'text-anchor': 'end' }),
  ]);
  const paths = shown.map(([, line], n) => {
    let lastS = 0;
    const steps = valuesOf(line).map(([atS, value]) => {
      // A gap stays a gap.
      const step = `${atS - lastS > 2 ? 'M' : 'L'}${x(atS).toFixed(1)} ${y(value).toFixed(1)}`;
      lastS = atS;
      return step;
    });
    return element('path', {
      d: steps.join(''),
      fill: 'none',
      stroke: COLOURS[n % COLOURS.length] ?? '',
      'stroke-width': 1.5,
    });
  });
  let at = 10;
  let row = 0;
  const legend = shown.flatMap(([name], n) => {
    const length = 12 + name.length * 4.9;
    if (at + length > WIDTH && at > 10) [at, row] = [10, row + 1];
    const [left, line] = [at, top + height + 14 + row * 12];
    at += length + 8;
    if (row > 2) return [];
    return [
      element('rect', { x: left, y: line - 7, width: 8, height: 8, fill: COLOURS[n % COLOURS.length] ?? '' }),
      text(left + 11, line, name, { class: 'small' }),
    ];
  });
  const frame = element('rect', { class: 'frame', x: 0.5, y: 0.5, width: WIDTH - 1, height: HEIGHT - 1, rx: 3 });
  return [frame, text(10, 17, panel.title, { class: 'title' }), ...bands, ...axis, ...paths, ...legend];
}

const scene = await Scene.start();
try {
  const { panels } = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana/latchkey.json'), 'utf8')) as {
    panels: Panel[];
  };
  const span = await run(scene);
  const drawn: string[] = [];
  for (const [n, panel] of panels.entries()) {
    const lines: [string, Line][] = [];
    for (const { expr, legendFormat } of panel.targets) {
      const found = await scene.prometheus.lines(filled(expr), span.startS, span.endS);
      lines.push(...found.map((line): [string, Line] => [nameOf(legendFormat, line), line]));
    }
    const [column, row] = [n % COLUMNS, Math.floor(n / COLUMNS)];
    const [left, top] = [MARGIN + column * (WIDTH + MARGIN), TOP + row * (HEIGHT + MARGIN)];
    drawn.push(`<g transform="translate(${left} ${top})">`, ...draw(panel, lines, span), '</g>');
  }
  const width = MARGIN + COLUMNS * (WIDTH + MARGIN);
  const height = TOP + Math.ceil(panels.length / COLUMNS) * (HEIGHT + MARGIN);
  const seconds = Math.round(span.endS - span.startS);
  const faults = span.bands.map(({ name }) => name).join(', ');
  const head = [
    text(MARGIN, 18, 'Latchkey: the dashboard while faults go by', { class: 'title' }),
    text(MARGIN, 34, `${seconds} seconds of two services and a gateway; the bands are, from left to right: ${faults}`, {
      class: 'faint',
    }),
  ];
  const description = `The panels of the dashboard, filled by a real run of ${seconds} seconds with these faults: ${faults}`;
  writeFileSync(join(ROOT, 'docs/dashboard.svg'), picture(width, height, description, [...head, ...drawn]));
} finally {
  await scene.clear();
}
