// Owns how figures are told: medians, and the table's columns.

import type { Seen } from './probe.js';

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;

export const whole = (value: number): string => (Number.isFinite(value) ? value.toFixed(0) : '–');
export const fine = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : '–');
const share = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : '–');

const COLUMNS: readonly [title: string, of: (seen: Seen) => number, shown: (value: number) => string][] = [
  ['answered/s', ({ answeredPerS }) => answeredPerS, whole],
  ['refused/s', ({ refusedPerS }) => refusedPerS, whole],
  ['failed', ({ counts }) => counts.failed, whole],
  ['p50 ms', ({ p50Ms }) => p50Ms, fine],
  ['p99 ms', ({ p99Ms }) => p99Ms, fine],
  ['health p99 ms', ({ healthP99Ms }) => healthP99Ms, fine],
  ['not SERVING', ({ unhealthy }) => unhealthy, whole],
  ['CPU', ({ serverCpu }) => serverCpu, share],
  ['MiB', ({ memoryMiB }) => memoryMiB, whole],
  ["load's CPU", ({ cpuShare }) => cpuShare, share],
  ["others' CPU", ({ othersCpu }) => othersCpu, share],
];

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A table whose rows are pieces of load; in each cell stands the median of that load's rounds. */
export const table = (rows: Readonly<Record<string, readonly Seen[]>>): string =>
  [
    line(['load', ...COLUMNS.map(([title]) => title)]),
    line(Array.from({ length: COLUMNS.length + 1 }, () => '---')),
    ...Object.entries(rows).map(([name, rounds]) =>
      line([name, ...COLUMNS.map(([, of, shown]) => shown(median(rounds.map(of))))]),
    ),
  ].join('\n');

/** CPU time of an answered call, µs; or of a refused one, where that of an answered one is known. */
export const cpuUsOf = ({ serverCpu, answeredPerS, refusedPerS }: Seen, answeredUs?: number): number =>
  answeredUs === undefined
    ? (serverCpu * 1e6) / (answeredPerS + refusedPerS)
    : (serverCpu * 1e6 - answeredUs * answeredPerS) / refusedPerS;
