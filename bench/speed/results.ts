// The results so far: a run may make some of them only, and those of before stay.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Growth } from '../growth/growth.js';
import type { Row } from './row.js';

/** Beside what was compiled: it is made anew, and not kept. */
const FILE = fileURLToPath(new URL('../../bench-results.json', import.meta.url));

/** How long and how often a scenario was run, and what came of it. */
export interface Result {
  readonly day: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly rows: readonly Row[];
}

export interface Results {
  readonly scenarios: Readonly<Record<string, Result>>;
  readonly growth: readonly Growth[];
}

const NONE: Results = { scenarios: {}, growth: [] };

export const readResults = (): Results =>
  existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Results) : NONE;

export function keepResults(results: Results): void {
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, JSON.stringify(results));
}

/** Before all scenarios are run anew. How stores grow is another bench's. */
export const forgetScenarios = (): void => keepResults({ ...readResults(), scenarios: {} });
