// Results in Markdown: a table of rows, and one of what was to be reached.

import { fine, finer, table, whole } from '../figures.js';
import type { Row, Spread } from './row.js';
import { isMet, measured, TARGETS } from './targets.js';

const spread = ({ median, least, most }: Spread): string => `**${finer(median)}** (${finer(least)}–${finer(most)})`;

const beside = (one: number, other: number, written: (value: number) => string): string =>
  `${written(one)} / ${written(other)}`;

const TITLES = [
  ...['what', 'against', 'calls/s', 'calls/s, ratio', 'CPU µs a call', 'CPU, ratio', 'p50 ms', 'p99 ms'],
  'others, cores',
];

const keyIn = (id: string): string => /HS256|ES256/.exec(id)?.[0] ?? '';

/** In each cell of two figures the first is Latchkey's. */
export const rowsTable = (rows: readonly Row[]): string =>
  table(
    TITLES,
    rows.map(({ id, what, against, figures, base, rate, cpu }) => [
      [what, keyIn(id)].filter(Boolean).join(', '),
      against,
      beside(figures.callsPerS, base.callsPerS, whole),
      spread(rate),
      beside(figures.cpuUs, base.cpuUs, fine),
      spread(cpu),
      beside(figures.p50Ms, base.p50Ms, fine),
      beside(figures.p99Ms, base.p99Ms, fine),
      finer(Math.max(figures.othersCpu, base.othersCpu)),
    ]),
  );

export const targetsTable = (rows: readonly Row[]): string =>
  table(
    ['what', 'wanted', 'measured', ''],
    TARGETS.map((target) => {
      const found = measured(target, rows);
      const wanted = `${target.bound} ${target.value}`;
      if (found === undefined) return [target.what, wanted, '–', 'not measured'];
      return [target.what, wanted, finer(found), isMet(target, found) ? 'met' : '**not met**'];
    }),
  );
