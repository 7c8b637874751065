// The search for a planted bug: runs under one kind of fault, until a violation of a rule is found that the bug breaks.

import { expect } from 'chai';
import type { Source } from '../../src/validator/index.js';
import { type ChaosOptions, type ChaosResult, endInTime, runChaos, runChaosOn } from './chaos.js';
import { Cluster } from './cluster.js';
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
  /** How many runs are made at most. Without faults they share a store and nodes. Default: 5. */
  readonly runs?: number;
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
  const { seconds, store, only, source, clients, runs = PLANTED_RUNS } = search;
  const isValidators = search.in === 'validators';
  const preload = new URL(`./planted/${bug}.js`, import.meta.url).href;
  it(`are found out when they have a planted bug: ${name}`, async function () {
    this.timeout(runs * (AROUND_MS + 1_000 * seconds));
    const found = new Set<Rule>();
    const loaded = isValidators ? { validatorPreloads: [preload] } : { preloads: [preload] };
    // What a fault leaves behind at a node with a bug is no beginning for another run.
    const cluster = only === undefined ? await Cluster.start(store, loaded.preloads) : undefined;
    const run = (options: ChaosOptions): Promise<ChaosResult> =>
      cluster ? runChaosOn(cluster, options) : runChaos(options);
    try {
      for (let n = 0; n < runs && !rules.some((rule) => found.has(rule)); n++) {
        const seed = firstSeed + n;
        const plan: ChaosOptions = { seconds, seed, store, faults: only !== undefined, ...(only ? { only } : {}) };
        const watched = isValidators || source ? { validators: true, ...(source ? { source } : {}) } : {};
        const { violations } = await run({ ...plan, ...watched, ...loaded, ...(clients ? { clients } : {}) });
        for (const { rule } of violations) found.add(rule);
      }
    } finally {
      await (cluster && endInTime(cluster));
    }
    expect([...found]).to.include.oneOf([...rules]);
  });
}
