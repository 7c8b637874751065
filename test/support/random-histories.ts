// The search for a random history in which a promise is broken: a history is decided by a list of numbers.

import fc from 'fast-check';

const SEED = process.env['SEED'];
// Without bias: a choice is as likely as another, and shrinking still leads to the first of each.
const choice = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((number) => number / 2 ** 32);

export interface Search {
  /** How many choices decide a history. */
  readonly length: { readonly least: number; readonly most: number };
  readonly runs: number;
  /** Ends at the first history that is found, and does not look for a shorter one. */
  readonly endOnFailure?: boolean;
}

/** @param violations of the history that these choices decide */
export function searchHistories(
  violations: (choices: readonly number[]) => Promise<readonly unknown[]>,
  { length, runs, endOnFailure = false }: Search,
) {
  const choices = fc.noBias(fc.array(choice, { minLength: length.least, maxLength: length.most, size: 'max' }));
  return fc.check(
    fc.asyncProperty(choices, async (numbers) => (await violations(numbers)).length === 0),
    // Shrinking tries a great many histories; what it has found by then will do.
    {
      numRuns: runs,
      endOnFailure,
      interruptAfterTimeLimit: 60_000,
      ...(SEED === undefined ? {} : { seed: Number(SEED) }),
    },
  );
}
