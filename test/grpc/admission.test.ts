// Admission: the counts of calls under way, of those that wait, and of tokens; each with its bound.

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Admission, type AdmittedCall } from '../../src/grpc/admission.js';
import { RecordingLog } from '../support/recording-log.js';

const MAX_CALLS = 10;
const [RESERVED, WAITING_PER_CALL, TOKENS_PER_CALL] = [8, 8, 64];

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe('admission', () => {
  let admission: Admission;
  let fates: string[];
  beforeEach(() => {
    admission = new Admission(new RecordingLog(), { maxConcurrentCalls: MAX_CALLS });
    fates = [];
  });
  afterEach(() => admission.close());

  const begin = (ends?: boolean): AdmittedCall => admission.begin(ends) ?? expect.fail('the call is refused');
  /** Lets calls wait whose fates are noted. */
  const wait = (name: string, ends = false): void =>
    admission.wait(ends, { accept: () => fates.push(`${name} accepted`), refuse: () => fates.push(`${name} refused`) });

  it('begins as many calls as may be under way, and a few more that end a session', () => {
    times(MAX_CALLS, () => begin());
    expect([admission.hasRoom(false), admission.begin()]).to.deep.equal([false, undefined]);
    times(RESERVED, () => begin(true));
    expect([admission.hasRoom(true), admission.begin(true)]).to.deep.equal([false, undefined]);
    expect(admission.underWay).to.equal(MAX_CALLS + RESERVED);
  });

  it('gives the place of a call that ends to the next, and counts no end twice', async () => {
    const calls = times(MAX_CALLS, () => begin());
    await turn();
    calls[0]?.end();
    calls[0]?.end();
    expect(admission.underWay).to.equal(MAX_CALLS - 1);
    begin();
    expect(admission.begin()).to.equal(undefined);
    for (const call of calls) call.end();
    expect(admission.underWay).to.equal(1);
  });

  it('counts calls that are answered at once until their turn ends, for then the answers leave', async () => {
    for (const call of times(MAX_CALLS, () => begin())) call.end();
    expect([admission.underWay, admission.hasRoom(false)]).to.deep.equal([0, false]);
    await turn();
    expect(admission.hasRoom(false)).to.equal(true);
  });

  it('accepts calls that wait as others end, in order, and those first that end a session', async () => {
    const calls = [...times(MAX_CALLS, () => begin()), ...times(RESERVED, () => begin(true))];
    for (const name of ['a', 'b', 'c']) wait(name);
    wait('logout', true);
    expect(admission.hasRoom(false), 'none goes ahead of those that wait').to.equal(false);
    await turn();
    for (const call of calls.slice(0, RESERVED + 3)) call.end();
    while (fates.length < 3) await turn();
    expect(fates).to.deep.equal(['logout accepted', 'a accepted', 'b accepted']);
  });

  it('refuses a call that has waited too long, though nothing else happens', async () => {
    times(MAX_CALLS, () => begin());
    wait('a');
    const startMs = performance.now();
    while (fates.length === 0) await sleep(5);
    expect(fates).to.deep.equal(['a refused']);
    expect(performance.now() - startMs).to.be.at.least(150);
  });

  it('lets no more wait than its bound, of either kind', () => {
    times(MAX_CALLS, () => begin());
    for (const ends of [false, true]) {
      times(MAX_CALLS * WAITING_PER_CALL, () => wait('', ends));
      expect(fates).to.deep.equal([]);
      wait('one more', ends);
      expect(fates.splice(0)).to.deep.equal(['one more refused']);
    }
  });

  it('refuses what waits when it closes', () => {
    times(MAX_CALLS, () => begin());
    wait('a');
    wait('b', true);
    admission.close();
    expect(fates.sort()).to.deep.equal(['a refused', 'b refused']);
  });

  it('bounds the tokens that batches hold, takes one batch by itself, and gives tokens back once', () => {
    const [large, small, other] = [begin(), begin(), begin()];
    expect(large.reserveTokens(MAX_CALLS * TOKENS_PER_CALL + 1)).to.equal(true);
    expect(small.reserveTokens(1)).to.equal(false);
    large.end();
    large.end();
    expect(small.reserveTokens(MAX_CALLS * TOKENS_PER_CALL)).to.equal(true);
    expect(other.reserveTokens(1)).to.equal(false);
  });
});
