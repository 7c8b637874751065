// The report on overload: the table's columns, and what a call costs.

import { fine, median, finer as share, table, whole } from '../figures.js';
import type { Seen } from './probe.js';

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

/** A table whose rows are pieces of load; each cell is the median of that load's rounds. */
export const tableOf = (rows: Readonly<Record<string, readonly Seen[]>>): string =>
  table(
    ['load', ...COLUMNS.map(([title]) => title)],
    Object.entries(rows).map(([name, rounds]) => [
      name,
      ...COLUMNS.map(([, of, shown]) => shown(median(rounds.map(of)))),
    ]),
  );

/** CPU time of an answered call, µs; or of a refused one, where that of an answered one is known. */
export const cpuUsOf = ({ serverCpu, answeredPerS, refusedPerS }: Seen, answeredUs?: number): number =>
  answeredUs === undefined
    ? (serverCpu * 1e6) / (answeredPerS + refusedPerS)
    : (serverCpu * 1e6 - answeredUs * answeredPerS) / refusedPerS;
