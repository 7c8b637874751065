// The proof of the feed's rules one by one: the pair of a shard, the store's time, what is held, and barriers.

import { expect } from 'chai';
import type { Revocation } from '../../proto/gen/auth/v1/auth_service.js';
import { Barriers } from '../../src/validator/feed/barriers.js';
import { FeedKnowledge, MAX_PINGS } from '../../src/validator/feed/feed-knowledge.js';
import { FeedTime } from '../../src/validator/feed/feed-time.js';
import { Revocations } from '../../src/validator/feed/revocations.js';
import { ShardProgress } from '../../src/validator/feed/shard-progress.js';
import { faultOf, SILENT, UNCOVERED } from '../../src/validator/feed/stream-health.js';
import type { Moment } from '../../src/validator/freshness.js';
import { elapse } from '../support/waiting.js';

const at = (ms: number): Moment => ({ monotonicMs: ms, wallMs: ms });
const state = (completeSinceMs: number, bornMs = 0) => ({
  ...{ shard: 0, completeSinceMs, birth: { atMs: bornMs, adoptedSinceMs: undefined } },
});
const ping = (id: number) => ({ id, sent: at(id) });
const id = (name: string): Buffer => Buffer.from(name.padEnd(16, '.'), 'latin1');
const key = (name: string): string => id(name).toString('latin1');
const ended = (name: string, atMs: number): Revocation => ({ shard: 0, sessionId: id(name), atMs });
const doubt = (name: string, atMs: number): Revocation => ({ shard: 0, doubtfulSessionId: id(name), atMs });

describe('the pair of a shard', () => {
  it('is known from the first pong on that covers the shard, and not from its state alone', () => {
    const progress = new ShardProgress();
    progress.covered(0, ping(1));
    progress.found(state(1_000));
    expect(progress.get(0)).to.include({ completeSinceMs: Number.POSITIVE_INFINITY, asOf: undefined });
    progress.covered(0, ping(2));
    expect(progress.get(0)).to.deep.include({ completeSinceMs: 1_000, asOf: ping(2) });
    expect(progress.oldest(1)).to.deep.equal(at(2));
    expect(progress.oldest(2)).to.equal(undefined);
  });

  it('changes hands with the first pong of a new stream; until then the old one counts, and may only rise', () => {
    const progress = new ShardProgress();
    progress.found(state(5_000));
    progress.covered(0, ping(1));
    progress.streamBegins();
    progress.found(state(1_000));
    expect(progress.get(0)).to.deep.include({ completeSinceMs: 5_000, asOf: ping(1) });
    progress.found(state(2_000));
    progress.dropped(0, 3_000);
    expect(progress.get(0)?.completeSinceMs).to.equal(13_000);
    progress.covered(0, ping(2));
    expect(progress.get(0)).to.deep.include({ completeSinceMs: 13_000, asOf: ping(2) });
    progress.found(state(4_000));
    expect(progress.get(0)?.completeSinceMs).to.equal(13_000);
  });

  it('has the latest birth of all streams, with its own start of adopted sessions', () => {
    const progress = new ShardProgress();
    progress.found({ ...state(0), birth: { atMs: 50, adoptedSinceMs: 7 } });
    progress.streamBegins();
    progress.found(state(0, 40));
    expect(progress.get(0)?.birth).to.deep.equal({ atMs: 50, adoptedSinceMs: 7 });
    progress.found(state(0, 60));
    expect(progress.get(0)?.birth).to.deep.equal({ atMs: 60, adoptedSinceMs: undefined });
  });
});

describe('a stream of the feed', () => {
  const settings = { audience: [], accessTtlSeconds: 300, sessionMaxSeconds: 1e6, shards: 1 };
  const first = { settings, keys: undefined, shards: [{ shard: 0, completeSinceMs: 0, bornMs: 0 }], revocations: [] };
  const pong = (id: number, isCovered: boolean) => ({
    ...{ settings: undefined, keys: undefined, shards: [], revocations: [], caughtUp: true },
    pong: { id, storeTimeMs: 1, uncovered: Buffer.from([isCovered ? 0 : 1]) },
  });
  const opened = { openedMs: 0, caughtUpMs: 0, isElsewhere: true, moves: 0 };

  it('is replaced if a ping has no pong for a second, or nothing comes for three while it catches up', () => {
    const knowledge = new FeedKnowledge();
    expect(faultOf(knowledge, opened, 3_000)).to.equal(undefined);
    expect(faultOf(knowledge, opened, 3_001)).to.equal(SILENT);
    expect(faultOf(knowledge, { ...opened, caughtUpMs: 1 }, 3_001)).to.equal(undefined);
    knowledge.take({ ...first, caughtUp: true, pong: undefined }, at(0));
    knowledge.ping(at(5_000));
    expect(faultOf(knowledge, opened, 6_000)).to.equal(undefined);
    expect(faultOf(knowledge, opened, 6_001)).to.equal(SILENT);
    // The ping was sent long before it had caught up, and no pong comes before that.
    expect(faultOf(knowledge, { ...opened, caughtUpMs: 9_000 }, 10_000)).to.equal(undefined);
    expect(faultOf(knowledge, { ...opened, caughtUpMs: 9_000 }, 10_001)).to.equal(SILENT);
  });

  it('is replaced by another if it has not covered all shards for 2 s, and then twice as long each time', () => {
    const knowledge = new FeedKnowledge();
    knowledge.take({ ...first, caughtUp: false, pong: undefined }, at(0));
    knowledge.take(pong(knowledge.ping(at(1_000)), true), at(1_000));
    expect(faultOf(knowledge, opened, 100_000)).to.equal(undefined);
    knowledge.take(pong(knowledge.ping(at(2_000)), false), at(2_000));
    for (const [moves, afterMs] of [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000].entries()) {
      expect(faultOf(knowledge, { ...opened, moves }, 1_000 + afterMs)).to.equal(undefined);
      expect(faultOf(knowledge, { ...opened, moves }, 1_001 + afterMs)).to.equal(UNCOVERED);
    }
    expect(faultOf(knowledge, { ...opened, openedMs: 9_000 }, 11_000)).to.equal(undefined);
    expect(faultOf(knowledge, { ...opened, isElsewhere: false }, 100_000)).to.equal(undefined);
    knowledge.take(pong(knowledge.ping(at(3_000)), true), at(3_000));
    expect(faultOf(knowledge, opened, 100_000)).to.equal(undefined);
    knowledge.streamBegins();
    expect(knowledge.isCovered).to.equal(true);
  });
});

describe('the states of shards', () => {
  it('are held for those that there are, whatever a node says', () => {
    const progress = new ShardProgress();
    const knowledge = new FeedKnowledge({ progress });
    const settings = { audience: [], accessTtlSeconds: 300, sessionMaxSeconds: 1e6, shards: 2 };
    const shards = [0, 1, 2, 255, 4_711, 2 ** 32 - 1].map((shard) => ({ shard, completeSinceMs: 0, bornMs: 0 }));
    const nothing = { keys: undefined, revocations: [], caughtUp: false, pong: undefined };
    knowledge.take({ ...nothing, settings: undefined, shards }, at(1));
    expect(shards.filter(({ shard }) => progress.get(shard))).to.deep.equal([]);
    knowledge.take({ ...nothing, settings, shards }, at(2));
    expect(shards.filter(({ shard }) => progress.get(shard))).to.deep.equal(shards.slice(0, 2));
  });
});

describe('the time of the store', () => {
  it('is the highest lower bound, unless the clock was set back', () => {
    const time = new FeedTime();
    expect(time.observe(1_000_000, 0, 50)).to.equal(undefined);
    expect(time.nowMs(1_050)).to.equal(1_000_999);
    // A pong that was long on its way says less.
    expect(time.observe(1_000_100, 60, 1_050)).to.equal(undefined);
    expect(time.nowMs(1_050)).to.equal(1_000_999);
    expect(time.observe(995_000, 1_050, 1_060)).to.equal(undefined);
    expect(time.nowMs(1_060)).to.equal(995_000);
    expect(time.observe(900_000, 1_060, 1_070)).to.be.closeTo(1_001_009, 2);
  });
});

describe('the revocations that are held', () => {
  it('count from their last coming, and an end removes the doubt that came before it', () => {
    const held = new Revocations();
    held.take(doubt('a', 100));
    held.take(ended('a', 200));
    expect([held.isEnded(key('a')), held.isDoubtful(key('a'), '')]).to.deep.equal([true, false]);
    held.take(doubt('a', 300));
    held.take(ended('a', 200));
    expect(held.isDoubtful(key('a'), '')).to.equal(true);
    held.take(ended('b', 150));
    held.take(ended('b', 900));
    const dropped: number[] = [];
    held.drop(500, ({ atMs }) => dropped.push(atMs));
    expect(dropped).to.deep.equal([200, 300]);
    expect(held.isEnded(key('b'))).to.equal(true);
  });

  it('holds no more than its bound, and asks about tokens from before what it dropped', () => {
    const knowledge = new FeedKnowledge({ revocations: new Revocations(100) });
    const settings = { audience: [], accessTtlSeconds: 300, sessionMaxSeconds: 1e6, shards: 1 };
    const shards = [{ shard: 0, completeSinceMs: 0, bornMs: 0 }];
    const nothing = { settings: undefined, keys: undefined, shards: [], revocations: [], caughtUp: false };
    knowledge.streamBegins();
    const pingId = knowledge.ping(at(1));
    const pong = { id: pingId, storeTimeMs: 200_000, uncovered: Buffer.of() };
    knowledge.take({ ...nothing, settings, shards, caughtUp: true, pong }, at(2));
    const revocations = Array.from({ length: 150 }, (_, n) => ended(`${n}`, 100_000 + n));
    knowledge.take({ ...nothing, revocations, pong: undefined }, at(3));
    expect(knowledge.size).to.equal(100);
    const token = {
      kind: 'access',
      kid: 'k',
      subject: 's',
      sessionId: 'x' as never,
      startMs: 1,
      generation: 0,
    } as const;
    const more = { id: '', notBefore: undefined, issuer: undefined, audience: [], claims: {} };
    const judged = (issuedAt: number) => {
      const all = { ...token, ...more, issuedAt, expiresAt: issuedAt + 300, adopted: false, adoptedSession: false };
      return knowledge.decide({ token: all, shard: 0, session: 'x', subject: 's' }, at(4), { maxStalenessMs: 1_000 });
    };
    expect([judged(109), judged(111)]).to.deep.equal(['ask', 'active']);
  });

  it('has one that cannot be read count as the end of any token of its shard', () => {
    const held = new Revocations();
    expect(held.take({ shard: 0, atMs: 1 })).to.equal(false);
    expect(held.take({ shard: 0, atMs: 1, sessionId: Buffer.of(1, 2) })).to.equal(false);
  });
});

describe('pings', () => {
  it('wait for their pongs in a bounded number', () => {
    const knowledge = new FeedKnowledge();
    for (let n = 0; n < MAX_PINGS; n++) {
      expect(knowledge.mayPing).to.equal(true);
      knowledge.ping(at(n));
    }
    expect(knowledge.mayPing).to.equal(false);
  });

  it('send no more than a ping a millisecond, however many turns have callers, and leave none without one', async () => {
    const sentMs: number[] = [];
    const barriers = new Barriers({ patienceMs: 5_000, most: 1e6, ping: () => sentMs.push(performance.now()) });
    const waits: Promise<number | undefined>[] = [];
    const untilMs = performance.now() + 200;
    while (performance.now() < untilMs) {
      const fromMs = performance.now();
      waits.push(
        barriers.wait().then((id) => {
          expect(sentMs[(id ?? 0) - 1]).to.be.at.least(fromMs);
          return id;
        }),
      );
      barriers.answered(sentMs.length);
      await new Promise(setImmediate);
    }
    while (barriers.callers > 0) {
      barriers.answered(sentMs.length);
      await new Promise(setImmediate);
    }
    await Promise.all(waits);
    expect(waits.length).to.be.above(sentMs.length);
    expect(sentMs.length).to.be.below(230);
    barriers.close();
  });

  it('are shared by the callers of a turn, sent after they came, and given up after a time', async () => {
    const sent: number[] = [];
    const barriers = new Barriers({ patienceMs: 50, most: 3, ping: () => sent.push(0) });
    const first = [barriers.wait(), barriers.wait()];
    expect(sent).to.deep.equal([]);
    await new Promise(setImmediate);
    const later = barriers.wait();
    expect(await barriers.wait()).to.equal(undefined);
    while (sent.length < 2) await new Promise(setImmediate);
    barriers.answered(1);
    expect(await Promise.all(first)).to.deep.equal([1, 1]);
    expect(await later).to.equal(undefined);
    expect(barriers.callers).to.equal(0);
  });

  it('give up each caller after its own time while none can be sent', async () => {
    let id: number | undefined;
    const barriers = new Barriers({ patienceMs: 1_000, most: 3, ping: () => id });
    const first = barriers.wait();
    await elapse(500, 'half the time of a caller');
    const second = barriers.wait();
    expect(await first).to.equal(undefined);
    expect(barriers.callers).to.equal(1);
    id = 7;
    barriers.streamBegan();
    barriers.answered(7);
    expect(await second).to.equal(7);
    expect(barriers.callers).to.equal(0);
    barriers.close();
  });

  it('are sent again on a new stream, or as soon as one can be sent', async () => {
    let [next, can] = [0, true];
    const barriers = new Barriers({ patienceMs: 5_000, most: 10, ping: () => (can ? ++next : undefined) });
    const first = barriers.wait();
    await new Promise(setImmediate);
    can = false;
    const second = barriers.wait();
    await new Promise(setImmediate);
    can = true;
    barriers.streamBegan();
    barriers.answered(1);
    while (next < 3) await new Promise(setImmediate);
    barriers.answered(3);
    expect(await Promise.all([first, second])).to.deep.equal([2, 3]);
    barriers.close();
    expect(await barriers.wait()).to.equal(undefined);
  });
});
