// Admission: the counts of calls under way, of those that wait, and of tokens; each with its bound.

import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Admission } from '../../src/grpc/admission/admission.js';
import type { AdmittedCall } from '../../src/grpc/admission/admitted-call.js';
import { RecordingLog } from '../support/recording-log.js';
import { holdsFor, until } from '../support/waiting.js';

const MAX_CALLS = 10;
const [RESERVED, MAX_WAITING, MAX_ENDING_WAITING, TOKENS_PER_CALL] = [8, 4_096, 512, 64];

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe('admission', () => {
  let admission: Admission;
  let fates: string[];
  let nowMs: number;
  /** How often the admission has read the clock, as it does for each check of the queues. */
  let looks: number;
  beforeEach(() => {
    nowMs = 0;
    looks = 0;
    const clock = (): number => {
      looks++;
      return nowMs;
    };
    admission = new Admission(new RecordingLog(), { maxConcurrentCalls: MAX_CALLS, nowMs: clock });
    fates = [];
  });
  afterEach(() => admission.close());

  const begin = (ends?: boolean): AdmittedCall => admission.begin(ends) ?? expect.fail('the call is refused');
  /** Lets calls wait whose fates are noted. */
  const wait = (name: string, ends = false): void =>
    admission.wait(ends, { accept: () => fates.push(`${name} accepted`), refuse: () => fates.push(`${name} refused`) });

  it('begins as many calls as may be under way, and a few more that end a session', () => {
    times(MAX_CALLS, () => begin());
    expect([admission.open(false), admission.begin()]).to.deep.equal([false, undefined]);
    times(RESERVED, () => begin(true));
    expect([admission.open(true), admission.begin(true)]).to.deep.equal([false, undefined]);
    expect(admission.underWay).to.equal(MAX_CALLS + RESERVED);
  });

  it('opens no more calls in a turn than can begin, for their messages come together', () => {
    times(MAX_CALLS - 3, () => begin());
    expect(times(5, () => admission.open(false))).to.deep.equal([true, true, true, false, false]);
    times(3, () => begin());
    expect([admission.open(false), admission.begin()]).to.deep.equal([false, undefined]);
  });

  it('keeps no place beyond the turn for a call whose message does not come', async () => {
    times(MAX_CALLS, () => admission.open(false));
    expect(admission.open(false)).to.equal(false);
    await turn();
    expect(admission.open(false)).to.equal(true);
  });

  it('takes a short wait of long ago for no overload: a call that waits then is not refused', async () => {
    const calls = times(MAX_CALLS, () => begin());
    wait('early');
    // A place comes free in the turn in which the call began to wait.
    calls.pop()?.end();
    await turn();
    expect(fates).to.deep.equal(['early accepted']);
    begin();
    // The next check finds the queue empty.
    const before = looks;
    await until(() => looks > before);
    nowMs = 2_100;
    wait('late');
    nowMs = 2_200;
    await holdsFor(100, () => {
      expect(fates).to.deep.equal(['early accepted']);
    });
  });

  it('gives the place of a call that ends to the next at the end of the turn, for the answer leaves then', async () => {
    const calls = times(MAX_CALLS, () => begin());
    calls[0]?.end();
    calls[0]?.end();
    expect(admission.underWay).to.equal(MAX_CALLS - 1);
    expect(admission.open(false)).to.equal(false);
    await turn();
    expect(admission.open(false)).to.equal(true);
    begin();
    expect(admission.begin()).to.equal(undefined);
    for (const call of calls) call.end();
    expect(admission.underWay).to.equal(1);
  });

  it('accepts calls that wait as others end, in order, and those first that end a session', async () => {
    const calls = [...times(MAX_CALLS, () => begin()), ...times(RESERVED, () => begin(true))];
    for (const name of ['a', 'b', 'c']) wait(name);
    wait('logout', true);
    expect(admission.open(false), 'none goes ahead of those that wait').to.equal(false);
    await turn();
    for (const call of calls.slice(0, RESERVED + 3)) call.end();
    while (fates.length < 3) await turn();
    expect(fates).to.deep.equal(['logout accepted', 'a accepted', 'b accepted']);
  });

  it('refuses a call that has waited too long, though nothing else happens', async () => {
    times(MAX_CALLS, () => begin());
    wait('a');
    nowMs = 2_000;
    await until(() => fates.length > 0);
    expect(fates).to.deep.equal(['a refused']);
  });

  it('lets no more wait than its bound, of either kind', () => {
    times(MAX_CALLS, () => begin());
    for (const ends of [false, true]) {
      times(ends ? MAX_ENDING_WAITING : MAX_WAITING, () => wait('', ends));
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
