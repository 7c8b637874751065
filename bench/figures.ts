// The arithmetic of figures, and how they are written.

export const quantile = (values: readonly number[], share: number): number => {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;

const written =
  (digits: number) =>
  (value: number): string =>
    Number.isFinite(value) ? value.toFixed(digits) : '–';

export const whole = written(0);
export const fine = written(1);
export const finer = written(2);

/** A line of a table in Markdown. */
export const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A table in Markdown. */
export const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
