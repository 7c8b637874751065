// Owns what a scenario is: a name to choose it by, and the rows that come of it.

import { type Contender, contest, type Figures } from './contest.js';
import type { Lab } from './lab.js';
import type { Row } from './row.js';

export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  readonly run: (lab: Lab) => Promise<readonly Row[]>;
}

/** In full runs long enough for the compilers. */
const WARM_MS = 2_000;

/** @returns the figures of each contender, round by round */
export function rounds(lab: Lab, contenders: readonly Contender[]): Promise<Figures[][]> {
  const { rounds, seconds, quick } = lab.options;
  return contest(contenders, { rounds, ms: seconds * 1000, warmMs: quick ? seconds * 1000 : WARM_MS });
}
