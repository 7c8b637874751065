// What a run of chaos must show: no promise is broken, and callers got answers.

import { expect } from 'chai';
import { type ChaosOptions, type ChaosResult, runChaos, runChaosOn, type Shown } from './chaos.js';
import { Cluster, type StoreKind } from './cluster.js';
import { outcomeName } from './counts.js';
import { AROUND_MS } from './planted-search.js';
import { summary, tellViolations } from './report.js';
import { chaosOptions } from './settings.js';

/**
 * Few, since more take processor time from the faults and from other tests: each fault meets some 300 calls. In
 * `npm run test:soak` 24 clients act.
 */
export const FEW_CLIENTS = 2;
/** The longest run, s: it ends then even if its fault has not, once it has shown enough. */
const FAULT_S = 30;

export const textOf = (options: ChaosOptions, result: ChaosResult): string =>
  [summary(options, result), ...(result.violations.length > 0 ? [tellViolations(options, result)] : [])].join('\n');

/** Makes a run, and expects that no promise was broken. @param cluster where; undefined: on one of its own */
export async function expectKept(options: ChaosOptions, cluster?: Cluster): Promise<ChaosResult> {
  const result = await (cluster ? runChaosOn(cluster, options) : runChaos(options));
  expect(result.violations, textOf(options, result)).to.deep.equal([]);
  return result;
}

/** How many calls were answered with a pair. */
export const grantedIn = ({ calls }: Pick<Shown, 'calls'>): number =>
  calls.filter((call) => outcomeName(call) === 'granted').length;

/** Defines a test for each of some faults: it happens once, to a store and two nodes that all of them share. */
export function itKeepsEveryPromise(store: StoreKind, faults: readonly string[]): void {
  let cluster: Cluster | undefined;

  /** What a failed test leaves behind is no store for the next one. */
  const close = async (): Promise<void> => {
    await cluster?.close();
    cluster = undefined;
  };
  afterEach(async function () {
    this.timeout(AROUND_MS);
    if (this.currentTest?.isFailed()) await close();
  });
  after(close);

  for (const fault of faults) {
    it(`with replicas (${store}) keep every promise: ${fault}`, async function () {
      this.timeout(2 * AROUND_MS + 1_000 * FAULT_S);
      cluster ??= await Cluster.start(store);
      const isEnough = (shown: Shown): boolean => grantedIn(shown) > 20;
      const options = { ...chaosOptions(process.env), store, only: fault, rounds: 1, validators: false, isEnough };
      const result = await expectKept({ ...options, seconds: FAULT_S, clients: FEW_CLIENTS }, cluster);
      expect(result.history.faults.map(({ kind }) => kind)).to.deep.equal([fault]);
      expect(grantedIn(result.history)).to.be.above(20);
    });
  }
}
