// Proof that two nodes keep their promises while everything fails around them, and that a broken promise is found.

import { expect } from 'chai';
import { type ChaosOptions, type ChaosResult, runChaos } from './chaos.js';
import { AROUND_MS, itFinds, type Search } from './planted-search.js';
import type { CallKind, CallRecord, Outcome } from './record.js';
import { outcomeName, summary, tellViolations } from './report.js';
import { chaosOptions } from './settings.js';

const ALONE: Search = { seconds: 4, store: 'redis' };

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

  for (const bug of [
    { name: 'a swap that ignores its expectation', bug: 'blind-swaps', rules: ['a', 'b'], search: ALONE },
    { name: 'a read that is answered from a cache', bug: 'stale-reads', rules: ['b'], search: ALONE },
    { name: 'a window that ends at once', bug: 'no-grace', rules: ['d'], search: ALONE },
  ] as const) {
    itFinds(bug, options.seed);
  }
});
