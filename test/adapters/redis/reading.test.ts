// Tests of the cost of a read in Redis commands, and of keys that hold another type.

import { expect } from 'chai';
import { keyNames } from '../../../src/adapters/redis/keys.js';
import { StoreUnavailable } from '../../../src/core/errors.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { RedisServer } from '../../support/redis-server.js';
import { type Opened, openReachable } from './redis-world.js';

const HOUR_MS = 3_600_000;
const cutOff = (subject: string): StoreKey => ({ kind: 'not-before', subject });
/** Of Redis before version 7 there is one command for all scripts. */
const reads = async (server: RedisServer): Promise<number> =>
  (await server.calls('evalsha_ro')) + (await server.calls('evalsha'));
const nameOf = (key: StoreKey): string => keyNames([key])[0] ?? '';

describe('a read from Redis', () => {
  let server: RedisServer;
  let opened: Opened;
  before(async () => {
    server = await RedisServer.start();
    opened = await openReachable(server);
  });
  after(async () => {
    await opened.store.close();
    await server.stop();
  });
  beforeEach(() => server.raw.flushall());

  it('is one command for all callers of a turn', async () => {
    const { store } = opened;
    await server.raw.config('RESETSTAT');
    const subjects = Array.from({ length: 200 }, (_, i) => `user ${i}`);
    await Promise.all(subjects.map((subject) => store.read([cutOff(subject), { kind: 'birth', shard: 0 }])));
    expect(await reads(server)).to.equal(1);
    await store.read([cutOff('ann')]);
    expect(await reads(server)).to.equal(2);
  });

  for (const [type, make] of [
    ['list', (key: string) => server.raw.rpush(key, 'x')],
    ['hash', (key: string) => server.raw.hset(key, 'a', 'b')],
    ['set', (key: string) => server.raw.sadd(key, 'x')],
    ['stream', (key: string) => server.raw.xadd(key, '*', 'a', 'b')],
  ] as const) {
    it(`cannot tell what a ${type} means, and answers the other callers`, async () => {
      const { store } = opened;
      await make(nameOf(cutOff('bad')));
      const draft = { value: 'a', atLeastMs: 0 };
      const { current } = await store.compareAndSet(cutOff('good'), undefined, {
        ...draft,
        lifetimeMs: HOUR_MS,
        notAfterMs: store.now(0) + HOUR_MS,
      });
      const [good, bad, absent] = await Promise.allSettled([
        store.read([cutOff('good'), cutOff('absent')]),
        store.read([cutOff('good'), cutOff('bad')]),
        store.read([cutOff('absent')]),
      ]);
      expect(good).to.deep.equal({ status: 'fulfilled', value: [current, undefined] });
      expect(bad.status === 'rejected' && bad.reason).to.be.instanceOf(StoreUnavailable);
      expect(absent).to.deep.equal({ status: 'fulfilled', value: [undefined] });
    });

    it(`goes on after a swap of a ${type} was refused, which is left as it was`, async () => {
      const { store } = opened;
      await make(nameOf(cutOff('bad')));
      const draft = { value: 'a', atLeastMs: 0 };
      const swap = store.compareAndSet(cutOff('bad'), undefined, {
        ...draft,
        lifetimeMs: HOUR_MS,
        notAfterMs: store.now(0) + HOUR_MS,
      });
      const error = await swap.catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(StoreUnavailable);
      expect((error as StoreUnavailable).message).to.contain('WRONGTYPE');
      expect(await server.raw.type(nameOf(cutOff('bad')))).to.equal(type);
      expect(await store.read([cutOff('ann')])).to.deep.equal([undefined]);
    });
  }

  it('hands on a text that is no entry: what it means is for the core to say', async () => {
    await server.raw.set(nameOf(cutOff('ann')), 'rubbish');
    expect(await opened.store.read([cutOff('ann')])).to.deep.equal(['rubbish']);
  });
});
