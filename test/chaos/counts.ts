// Counts of calls, by a name of each.

import type { CallRecord } from './record.js';

export const countBy = <T>(items: readonly T[], key: (item: T) => string): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => a.localeCompare(b)));
};

/** Which of some names have been counted less than `least` times. */
export const rarerThan = (
  least: number,
  counts: ReadonlyMap<string, number>,
  names: readonly string[],
): readonly string[] => names.filter((name) => (counts.get(name) ?? 0) < least);

export function outcomeName({ outcome }: Pick<CallRecord, 'outcome'>): string {
  if (outcome.is === 'unknown') return outcome.code;
  if (outcome.is !== 'refused') return outcome.is;
  return outcome.cause === undefined ? outcome.problem : `${outcome.problem} (${outcome.cause})`;
}
