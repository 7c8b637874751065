// What a scenario is: a name to choose it by, and the rows that come of it.

import type { StoreKind } from '../stores/filled.js';
import { type Contender, contest, type Figures } from './contest.js';
import type { Algorithm } from './keys.js';
import type { Lab } from './lab.js';
import type { Row } from './row.js';

export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  readonly run: (lab: Lab) => Promise<readonly Row[]>;
}

/** What a row is about: by which key, on which store with how many sessions. */
export interface Choice {
  readonly id: string;
  readonly what: string;
  readonly algorithm: Algorithm;
  readonly store: StoreKind;
  readonly sessions: number;
}

const WARM_MS = 3_000;
/** More than there are tokens in turn. */
const WARM_TOKENS = 20_000;

/** @returns the figures of each contender, round by round */
export function rounds(lab: Lab, contenders: readonly Contender[]): Promise<Figures[][]> {
  const { rounds, seconds, quick } = lab.options;
  const ms = seconds * 1000;
  const warm = quick ? { warmMs: ms, warmTokens: 1 } : { warmMs: WARM_MS, warmTokens: WARM_TOKENS };
  return contest(contenders, { rounds, ms, ...warm });
}
