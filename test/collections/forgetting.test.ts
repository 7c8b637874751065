// Tests that a full collection forgets its oldest member at the same cost, however many members it has.
//
// A Map finds its first member by a walk over all that were deleted before it. With it, one more member of 66,000 took
// 5 to 50 times as long as one of 520.

import { expect } from 'chai';
import { RateCounter } from '../../gateway/limits/rate-limit.js';
import { ClosingOrder } from '../../src/platform/closing-order.js';
import { Revocations } from '../../src/validator/feed/revocations.js';
import { TokenMap } from '../../src/validator/token-map.js';
import { Waiters } from '../../src/validator/waiters.js';
import { ownCpuMs } from '../support/processor-time.js';

/** Just above a power of two: there the tables of V8 have the most room for deleted members. */
const [SMALL, LARGE] = [520, 66_000];
/** Each member is added to a full collection, which deletes one. That many deletions fill the room in V8's tables. */
const ADDED = 66_000;
/** One round shows it; beside other processes, which share the caches, some may have to be repeated. */
const MOST_ROUNDS = 4;
/** The larger collection misses the processor's caches, which no data structure can avoid. */
const MOST_TIMES = 5;

/** Adds the member with a number to a collection of a size. */
type Add = (member: number) => void;

const opened: Waiters[] = [];

const COLLECTIONS: Readonly<Record<string, (most: number) => Add>> = {
  'the memory of tokens': (most) => {
    const memory = new TokenMap<number>(most);
    return (member) => memory.set(`${member}`.padStart(40, 'abcdefgh'), member);
  },
  'the revocations of the feed': (most) => {
    const revocations = new Revocations(most);
    return (member) => {
      const sessionId = Buffer.alloc(16);
      sessionId.writeUInt32BE(member, 4);
      revocations.take({ shard: 1, atMs: 1_795_000_000_000 + member, sessionId });
      revocations.drop(0, () => {});
    };
  },
  'the callers that wait': (most) => {
    const waiters = new Waiters({ most, monotonicMs: () => 0, giveUp: () => {} });
    opened.push(waiters);
    const waiter = { maxStalenessMs: 0, untilMs: 0, resolve: () => {}, reject: () => {}, pending: undefined };
    return (member) => waiters.add({ ...waiter, untilMs: 60_000 + member });
  },
  'the rate limit of the gateway': (most) => {
    const counter = new RateCounter({ requests: 1_000_000, windowMs: 10_000 }, () => 0, most);
    return (member) => void counter.count(`client ${member}`);
  },
  'the closing order of connections': (most) => {
    const order = new ClosingOrder<{ readonly member: number }>();
    return (member) => {
      if (order.size === most && order.spare) order.close(order.spare);
      order.open({ member });
    };
  },
};

/** @returns what one more member costs, ms of processor time */
function costMs(add: Add, from: number): number {
  const beforeMs = ownCpuMs();
  for (let member = from; member < from + ADDED; member++) add(member);
  return (ownCpuMs() - beforeMs) / ADDED;
}

describe('one more member of a full collection', () => {
  after(() => {
    for (const waiters of opened) waiters.clear();
  });

  for (const [name, create] of Object.entries(COLLECTIONS)) {
    it(`costs no more in a large one than in a small one: ${name}`, () => {
      const [small, large] = [create(SMALL), create(LARGE)];
      for (let member = 0; member < LARGE; member++) for (const add of [small, large]) add(member);
      let times = Number.POSITIVE_INFINITY;
      for (let round = 0; round < MOST_ROUNDS && times >= MOST_TIMES; round++) {
        const from = LARGE + round * ADDED;
        const smallMs = costMs(small, from);
        times = costMs(large, from) / smallMs;
      }
      expect(times).to.be.below(MOST_TIMES);
    });
  }
});
