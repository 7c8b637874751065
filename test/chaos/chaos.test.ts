// Tests that two nodes keep their promises while a store without replicas, and they themselves, fail.

import { expect } from 'chai';
import { expectKept, grantedIn, textOf } from './kept.js';
import { AROUND_MS } from './planted-search.js';
import type { CallKind, Outcome } from './record.js';
import { chaosOptions } from './settings.js';

/** CHAOS_SECONDS makes it longer. */
const SHORT_S = 12;
/** More act in `npm run test:soak`. */
const CLIENTS = 5;
/** Enough to have each outcome more than ten times, on a machine however slow. */
const LEAST_CALLS = 600;

describe('two nodes on one store, under chaos', () => {
  const options = chaosOptions({ ...process.env, CHAOS_SECONDS: process.env['CHAOS_SECONDS'] || `${SHORT_S}` });

  it(`keep every promise for ${options.seconds} s while the store and the nodes fail`, async function () {
    this.timeout(options.seconds * 1_000 + AROUND_MS);
    const result = await expectKept({ ...options, validators: false, clients: CLIENTS, leastCalls: LEAST_CALLS });
    process.stdout.write(`${textOf(options, result).replace(/^/gm, '      ')}\n`);
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
    const result = await expectKept({
      ...options,
      store: 'lmdb',
      seconds: 5,
      validators: false,
      clients: CLIENTS,
      leastCalls: LEAST_CALLS / 3,
    });
    expect(grantedIn(result)).to.be.above(50);
  });
});
