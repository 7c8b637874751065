// A row of the table: one server's figures against another's of the same rounds.

import { median } from '../figures.js';
import type { Figures } from './contest.js';

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Row {
  /** Names the row for the targets. */
  readonly id: string;
  readonly what: string;
  readonly against: string;
  readonly figures: Figures;
  readonly base: Figures;
  /** Of the rounds: calls a second over those of the other, and processor time a call over the other's. */
  readonly rate: Spread;
  readonly cpu: Spread;
}

const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  least: Math.min(...values),
  most: Math.max(...values),
});

function medians(rounds: readonly Figures[]): Figures {
  const of = (pick: (figures: Figures) => number): number => median(rounds.map(pick));
  return {
    count: of(({ count }) => count),
    callsPerS: of(({ callsPerS }) => callsPerS),
    cpuUs: of(({ cpuUs }) => cpuUs),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    othersCpu: of(({ othersCpu }) => othersCpu),
  };
}

export type Named = Pick<Row, 'id' | 'what' | 'against'>;

/** @param ours and `theirs`: round by round */
export function rowOf(named: Named, ours: readonly Figures[], theirs: readonly Figures[]): Row {
  const ratios = (pick: (figures: Figures) => number): number[] =>
    ours.flatMap((figures, round) => {
      const other = theirs[round];
      return other ? [pick(figures) / pick(other)] : [];
    });
  return {
    ...named,
    figures: medians(ours),
    base: medians(theirs),
    rate: spreadOf(ratios(({ callsPerS }) => callsPerS)),
    cpu: spreadOf(ratios(({ cpuUs }) => cpuUs)),
  };
}
