// What a section of the bench of the feed measures, and what was to be reached.

/** One line of the table. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** What was to be reached, and whether it was; undefined: the line only compares. */
  readonly goal?: { readonly wanted: string; readonly isMet: boolean } | undefined;
}

const verdict = ({ goal }: Figure): string => (goal === undefined ? '' : goal.isMet ? 'met' : '**not met**');

/** The cells of a line, in the order of `TITLES`. */
export const cellsOf = (figure: Figure): readonly string[] => [
  figure.what,
  figure.goal?.wanted ?? '',
  figure.measured,
  verdict(figure),
];

export const TITLES = ['what', 'wanted', 'measured', ''] as const;

export const atLeast = (least: number, value: number, wanted: string): Figure['goal'] => ({
  wanted: `at least ${wanted}`,
  isMet: value >= least,
});

export const below = (most: number, value: number, wanted: string): Figure['goal'] => ({
  wanted: `below ${wanted}`,
  isMet: value < most,
});

export const grouped = (value: number): string => Math.round(value).toLocaleString('en');
