// Proof that two nodes keep their promises while everything fails around them, and that a broken promise is found.

import { expect } from 'chai';
import { type ChaosOptions, type ChaosResult, runChaos } from './chaos.js';
import type { CallKind, CallRecord, Outcome } from './record.js';
import { outcomeName, summary, tellViolations } from './report.js';
import { chaosOptions } from './settings.js';

/** Beside the run itself: the start, the last calls, the end. */
const AROUND_MS = 75_000;
/** A race or a failover that shows the bug may not come about in the first, least of all on a slow machine. */
const PLANTED_RUNS = 5;

/** What a planted bug is looked for with. */
interface Search extends Pick<ChaosOptions, 'seconds' | 'store'> {
  /** The faults that happen; undefined: none. */
  readonly only?: string;
}

const ALONE: Search = { seconds: 4, store: 'redis' };
const UNDER_WAIT: Search = { seconds: 16, store: 'cluster', only: 'failover while acknowledgements wait' };
const FAILOVER: Search = { seconds: 12, store: 'sentinel', only: 'planned failover' };
const LATE: Search = { seconds: 12, store: 'sentinel', only: 'planned failover that a node learns of late' };
const SCALE_OUT: Search = { seconds: 12, store: 'cluster', only: 'scaled out to a fresh node, and back' };

const CANCELLED: Search = { seconds: 16, store: 'cluster', only: 'migrations cancelled' };

const planted = (name: string): string => new URL(`./planted/${name}.js`, import.meta.url).href;

describe('two nodes on one store, under chaos', () => {
  const told = (options: ChaosOptions, result: ChaosResult): string =>
    [summary(options, result), ...(result.violations.length > 0 ? [tellViolations(options, result)] : [])].join('\n');

  const run = async (options: ChaosOptions): Promise<ChaosResult> => {
    const result = await runChaos(options);
    expect(result.violations, told(options, result)).to.deep.equal([]);
    return result;
  };

  const options = chaosOptions(process.env);

  it(`keep every promise for ${options.seconds} s while the store and the nodes fail`, async function () {
    this.timeout(options.seconds * 1_000 + AROUND_MS);
    const result = await run(options);
    process.stdout.write(`${told(options, result).replace(/^/gm, '      ')}\n`);
    // It must have been a run that could have shown something.
    const { calls, faults } = result.history;
    const count = (kind: CallKind, is: Outcome['is']): number =>
      calls.filter((call) => call.kind === kind && call.outcome.is === is).length;
    for (const kind of ['issue', 'refresh', 'validate', 'logout'] as const) {
      expect(calls.filter((call) => call.kind === kind).length, kind).to.be.above(options.seconds);
    }
    for (const is of ['granted', 'refused', 'unknown'] as const) expect(count('refresh', is), is).to.be.above(10);
    for (const is of ['active', 'refused', 'unknown'] as const) expect(count('validate', is), is).to.be.above(10);
    expect(faults.length).to.be.above(options.seconds / 10);
  });

  it('on the embedded store keep every promise while they are killed and stopped', async function () {
    this.timeout(AROUND_MS);
    const { history } = await run({ ...options, store: 'lmdb', seconds: 5 });
    expect(history.calls.filter((call: CallRecord) => outcomeName(call) === 'granted').length).to.be.above(50);
  });

  for (const [store, fault] of [
    ['sentinel', 'primary killed'],
    ['sentinel', 'primary paused, and woken after the failover'],
    ['cluster', 'primary killed'],
    ['cluster', 'primary paused, and woken after the failover'],
    ['cluster', 'slots migrated'],
    ['sentinel', 'failover while acknowledgements wait'],
    ['cluster', 'failover while acknowledgements wait'],
    ['sentinel', 'planned failover that a node learns of late'],
    ['sentinel', 'failed over and back'],
    ['cluster', 'failed over and back'],
    ['sentinel', 'sentinel clocks stepped during a failover'],
    ['cluster', 'scaled out to a fresh node, and back'],
    ['cluster', 'migrations cancelled'],
  ] as const) {
    it(`with replicas (${store}) keep every promise: ${fault}`, async function () {
      this.timeout(2 * AROUND_MS);
      const { history } = await run({ ...options, store, seconds: 8, only: fault });
      expect(history.faults.map(({ kind }) => kind)).to.include(fault);
      expect(history.calls.filter((call: CallRecord) => outcomeName(call) === 'granted').length).to.be.above(20);
    });
  }

  for (const [name, bug, rules, { seconds, store, only }] of [
    ['a swap that ignores its expectation', 'blind-swaps', ['a', 'b'], ALONE],
    ['a read that is answered from a cache', 'stale-reads', ['b'], ALONE],
    ['a window that ends at once', 'no-grace', ['d'], ALONE],
    ['a window that never ends', 'endless-window', ['f'], { ...ALONE, seconds: 12 }],
    ['acknowledgements that wait at another primary', 'wait-elsewhere', ['b', 'c', 'd'], UNDER_WAIT],
    ['no takeover delay', 'no-takeover-delay', ['a', 'b', 'c', 'd'], LATE],
    ['a lease that does not end', 'endless-lease', ['a', 'b', 'c', 'd'], LATE],
    ['reads that the owner before answers', 'reads-at-the-old-owner', ['a', 'b', 'c', 'd'], FAILOVER],
    ['a destination that is waited for though its migration was cancelled', 'endless-destination', ['e'], CANCELLED],
    ['no wait at a fresh node', 'no-wait-at-a-fresh-node', ['e'], SCALE_OUT],
  ] as const) {
    it(`are found out when they have a planted bug: ${name}`, async function () {
      this.timeout(PLANTED_RUNS * (AROUND_MS + 1_000 * seconds));
      const found = new Set<string>();
      for (let n = 0; n < PLANTED_RUNS && !rules.some((rule) => found.has(rule)); n++) {
        const seed = options.seed + n;
        const plan: ChaosOptions = { seconds, seed, store, faults: only !== undefined, ...(only ? { only } : {}) };
        const { violations } = await runChaos({ ...plan, preloads: [planted(bug)] });
        for (const { rule } of violations) found.add(rule);
      }
      expect([...found]).to.include.oneOf([...rules]);
    });
  }
});
