// Tests of the lease on a primary: each rule alone, and all of them in random histories.

import { expect } from 'chai';
import {
  LEASE_MS,
  PrimaryLease,
  TAKEOVER_DELAY_MS,
  type Vote,
} from '../../../src/adapters/redis/topology/primary-lease.js';
import { Random } from '../../chaos/random.js';
import { type HistoryShape, runHistory } from './lease-histories.js';

const ALL = new Set(['a', 'b', 'c']);
const [OLD, NEW, OLD_AGAIN]: Vote[] = [
  { server: 'a', epoch: 1 },
  { server: 'b', epoch: 2 },
  { server: 'a', epoch: 3 },
];
const HISTORIES = 600;
/** Times of a process that has used the old primary for long. */
const BEGIN_MS = -10 * LEASE_MS;

describe('the lease on a primary', () => {
  let lease: PrimaryLease;
  beforeEach(() => {
    lease = new PrimaryLease();
  });

  /** @param atMs when they are asked; the answer is there a moment later */
  const answer = (names: string, vote: Vote | undefined, atMs: number, all = ALL): void => {
    for (const name of names) lease.record(name, { vote, askedMs: atMs, receivedMs: atMs + 1 });
    lease.count(all);
  };
  /** All name a primary for long enough, up to a moment. */
  const established = (vote: Vote | undefined, untilMs: number, names = 'abc'): void => {
    for (let atMs = untilMs - 2 * TAKEOVER_DELAY_MS; atMs <= untilMs; atMs += 100) {
      answer(names, vote, atMs);
      lease.holder(atMs + 2);
    }
  };

  it('needs more than half of the voters, those that do not answer included', () => {
    established(OLD, 0, 'a');
    expect(lease.holder(2)).to.equal(undefined);
    established(OLD, 0, 'ab');
    expect(lease.holder(2)).to.equal('a');
    answer('ab', OLD, 10, new Set([...ALL, 'd']));
    expect(lease.holder(12 + LEASE_MS)).to.equal(undefined);
  });

  it('forgets what a voter has said that is none any more', () => {
    const five = new Set([...ALL, 'd', 'e']);
    for (const atMs of [-TAKEOVER_DELAY_MS - 10, 0]) answer('ab', OLD, atMs, five);
    lease.count(new Set(['c', 'd', 'e']));
    lease.count(ALL);
    expect(lease.holder(2)).to.equal(undefined);
  });

  it('of four voters needs three', () => {
    const four = new Set([...ALL, 'd']);
    for (const atMs of [BEGIN_MS, 0]) answer('ab', OLD, atMs, four);
    expect(lease.holder(2)).to.equal(undefined);
    answer('c', OLD, 0, four);
    answer('c', OLD, TAKEOVER_DELAY_MS + 1, four);
    answer('ab', OLD, TAKEOVER_DELAY_MS + 1, four);
    expect(lease.holder(TAKEOVER_DELAY_MS + 3)).to.equal('a');
  });

  it('ends a lease after the question, not after the answer', () => {
    established(OLD, 0);
    expect(lease.holder(LEASE_MS - 1)).to.equal('a');
    expect(lease.holder(LEASE_MS)).to.equal(undefined);
    answer('ab', OLD, LEASE_MS);
    expect(lease.holder(LEASE_MS + 10)).to.equal('a');
  });

  it('begins with another primary when nothing can use the one before any more', () => {
    established(OLD, 0);
    let nowMs = 100;
    for (; nowMs < 100 + TAKEOVER_DELAY_MS; nowMs += 100) {
      answer('bc', NEW, nowMs);
      expect(lease.holder(nowMs + 1)).to.not.equal('b');
    }
    answer('bc', NEW, nowMs);
    expect(lease.holder(101 + TAKEOVER_DELAY_MS)).to.equal('b');
  });

  it('at the start of a process waits as long as after a switch', () => {
    answer('abc', OLD, 0);
    answer('abc', OLD, TAKEOVER_DELAY_MS - 1);
    expect(lease.holder(TAKEOVER_DELAY_MS)).to.equal(undefined);
    expect(lease.holder(TAKEOVER_DELAY_MS + 1)).to.equal('a');
  });

  it('waits again for a server that is named again, by a later epoch', () => {
    established(OLD, 0);
    answer('bc', OLD_AGAIN, 1_000);
    expect(lease.holder(LEASE_MS - 1), 'what the older answers gave lasts').to.equal('a');
    answer('bc', OLD_AGAIN, 1_400);
    expect(lease.holder(LEASE_MS)).to.equal(undefined);
    expect(lease.holder(1_000 + TAKEOVER_DELAY_MS)).to.equal(undefined);
    expect(lease.holder(1_001 + TAKEOVER_DELAY_MS)).to.equal('a');
  });

  it('does not wait for a primary in use that names itself by a newer epoch', () => {
    established(OLD, 0);
    for (const atMs of [100, 400, 1_400]) {
      answer('abc', OLD_AGAIN, atMs);
      expect(lease.holder(atMs + 2)).to.equal('a');
    }
    expect(lease.holder(LEASE_MS + 10)).to.equal('a');
  });

  it('is void where no voter names a server', () => {
    established(undefined, 0);
    expect(lease.holder(2)).to.equal(undefined);
  });

  it('goes to a successor at once where the primary in use itself names it', () => {
    established(OLD, 0);
    answer('ac', NEW, 100);
    expect(lease.holder(102)).to.equal('b');
  });

  it('does not go at once where others say so, and the primary does not', () => {
    established(OLD, 0);
    answer('bc', NEW, 100);
    expect(lease.holder(102)).to.not.equal('b');
    expect(lease.holder(LEASE_MS + 1)).to.equal(undefined);
  });

  it('does not go at once where the primary has not been asked for a lease', () => {
    established(OLD, 0);
    answer('bc', OLD, 1_000);
    expect(lease.holder(1_002)).to.equal('a');
    answer('abc', NEW, LEASE_MS + 100);
    expect(lease.holder(LEASE_MS + 102)).to.not.equal('b');
  });

  it('does not go at once where this process has not used the primary since its last answer', () => {
    established(OLD, 0);
    answer('abc', OLD, 100);
    answer('abc', NEW, 200);
    expect(lease.holder(202)).to.not.equal('b');
  });

  for (const [name, shapes] of [
    ['Sentinels', [1, 3, 4, 5, 6].map((voters) => ({ voters, cluster: false }))],
    ['the nodes of a cluster', [3, 4, 5, 6].map((voters) => ({ voters, cluster: true }))],
  ] as const satisfies readonly (readonly [string, readonly HistoryShape[]])[]) {
    it(`in random histories of ${name} never lets an older primary be used after a newer one`, function () {
      this.timeout(120_000);
      const random = new Random(20_261_129);
      const count = { switched: 0, quickFailbacks: 0, lagging: 0, handedOver: 0 };
      for (let n = 0; n < HISTORIES; n++) {
        const result = runHistory(random.fork(), random.pick<HistoryShape>(shapes));
        expect(result.violation, `history ${n}`).to.equal(undefined);
        if (result.used > 1) count.switched++;
        if (result.quickFailback) count.quickFailbacks++;
        if (result.lagging) count.lagging++;
        if (result.handedOver) count.handedOver++;
      }
      expect(count.switched).to.be.above(HISTORIES / 2);
      expect(count.quickFailbacks).to.be.above(HISTORIES / 20);
      expect(count.lagging).to.be.above(HISTORIES / 4);
      if (name !== 'Sentinels') expect(count.handedOver).to.be.above(HISTORIES / 10);
    });
  }
});
