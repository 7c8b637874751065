// The search for a planted bug: runs under one kind of fault, until a violation of a rule is found that the bug breaks.

import { expect } from 'chai';
import type { Source } from '../../src/validator/index.js';
import { type ChaosOptions, runChaos } from './chaos.js';
import type { RULES } from './record.js';

type Rule = keyof typeof RULES;

/** Beside the run itself: the start, the last calls, the end. */
export const AROUND_MS = 75_000;
/** A race or a failover that shows the bug may not come about in the first, least of all on a slow machine. */
const PLANTED_RUNS = 5;

/** What a planted bug is looked for with. */
export interface Search extends Pick<ChaosOptions, 'seconds' | 'store'> {
  /** The faults that happen; undefined: none. */
  readonly only?: string;
  /** What loads the bug. Default: the nodes. */
  readonly in?: 'validators';
  /** The validators that run, by what their answers rest on. Default: all where the bug is in them, else none. */
  readonly source?: Source;
  /** Default: as many as usual. */
  readonly clients?: number;
}

export interface Planted {
  readonly name: string;
  /** Its file in `planted/`. */
  readonly bug: string;
  /** Rules that it breaks. */
  readonly rules: readonly Rule[];
  readonly search: Search;
}

export function itFinds({ name, bug, rules, search }: Planted, firstSeed: number): void {
  const { seconds, store, only, source, clients } = search;
  const isValidators = search.in === 'validators';
  const preload = new URL(`./planted/${bug}.js`, import.meta.url).href;
  it(`are found out when they have a planted bug: ${name}`, async function () {
    this.timeout(PLANTED_RUNS * (AROUND_MS + 1_000 * seconds));
    const found = new Set<Rule>();
    for (let n = 0; n < PLANTED_RUNS && !rules.some((rule) => found.has(rule)); n++) {
      const seed = firstSeed + n;
      const plan: ChaosOptions = { seconds, seed, store, faults: only !== undefined, ...(only ? { only } : {}) };
      const watched = isValidators || source ? { validators: true, ...(source ? { source } : {}) } : {};
      const loaded = isValidators ? { validatorPreloads: [preload] } : { preloads: [preload] };
      const { violations } = await runChaos({ ...plan, ...watched, ...loaded, ...(clients ? { clients } : {}) });
      for (const { rule } of violations) found.add(rule);
    }
    expect([...found]).to.include.oneOf([...rules]);
  });
}
