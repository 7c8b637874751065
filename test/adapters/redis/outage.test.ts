// Tests of a Redis that hangs or dies: calls fail within a known time, and succeed once it is back.

import { expect } from 'chai';
import { keyNames } from '../../../src/adapters/redis/keys.js';
import type { RedisStore } from '../../../src/adapters/redis/redis-store.js';
import { StoreUnavailable } from '../../../src/core/errors.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { BUSY_MS } from '../../support/busy.js';
import { RedisServer } from '../../support/redis-server.js';
import { elapse, holdsFor, until } from '../../support/waiting.js';
import { type Opened, openReachable, openStore } from './redis-world.js';

const HOUR_MS = 3_600_000;
const KEY: StoreKey = { kind: 'not-before', subject: 'ann' };
const NAME = keyNames([KEY])[0] ?? '';

interface Refusal {
  readonly error: unknown;
  readonly afterMs: number;
}

async function refusal(work: Promise<unknown>): Promise<Refusal> {
  const startMs = performance.now();
  const error = await work.then(
    () => 'an answer',
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(StoreUnavailable);
  return { error, afterMs: performance.now() - startMs };
}

const swap = (store: RedisStore, notAfterMs = store.now(0) + HOUR_MS) =>
  store.compareAndSet(KEY, undefined, { value: 'a', atLeastMs: 0, lifetimeMs: HOUR_MS, notAfterMs });

describe('an outage of Redis', () => {
  let server: RedisServer;
  let opened: Opened;
  let changes: boolean[];
  beforeEach(async () => {
    server = await RedisServer.start();
    opened = await openReachable(server);
    changes = [];
    opened.store.watch((reachable) => changes.push(reachable));
  });
  afterEach(async () => {
    await opened.store.close();
    await server.stop();
  });

  it('that hangs: every call fails within a second, the later ones at once, and all is well within two of its end', async () => {
    const { store } = opened;
    const beforeMs = store.reachableSinceMs ?? 0;
    server.pause();
    const first = await Promise.all([refusal(store.read([KEY])), refusal(swap(store)), refusal(store.read([KEY]))]);
    for (const { afterMs } of first) expect(afterMs).to.be.below(1_000 + BUSY_MS);
    expect(store.reachableSinceMs).to.equal(undefined);
    for (const { afterMs } of await Promise.all([refusal(store.read([KEY])), refusal(swap(store))])) {
      expect(afterMs).to.be.below(BUSY_MS);
    }
    await elapse(700, 'the outage lasts');
    server.resume();
    await until(() => store.reachableSinceMs !== undefined, 2_000 + BUSY_MS);
    expect(store.reachableSinceMs).to.be.above(beforeMs + 1_000);
    expect(await store.read([KEY])).to.deep.equal([undefined]);
    expect((await swap(store)).applied).to.equal(true);
    expect(changes).to.deep.equal([false, true]);
  });

  it('that hangs is noticed without a call', async () => {
    server.pause();
    await until(() => opened.store.reachableSinceMs === undefined, 2_000 + BUSY_MS);
  });

  it('that hangs does not make a write whose caller has given up', async () => {
    const { store } = opened;
    const draft = { value: 'a', atLeastMs: 0 };
    // The server must know the script, or it could not run what it finds in its buffers.
    await store.compareAndSet({ kind: 'birth', shard: 0 }, undefined, {
      ...draft,
      lifetimeMs: undefined,
      notAfterMs: store.now(0) + HOUR_MS,
    });
    await server.raw.config('RESETSTAT');
    server.pause();
    await refusal(swap(store, store.now(0) + 200));
    server.resume();
    // It runs when the server wakes.
    await until(async () => (await server.calls('evalsha')) > 0);
    await until(() => store.reachableSinceMs !== undefined, 2_000 + BUSY_MS);
    expect(await server.raw.get(NAME)).to.equal(null);
  });

  it('that hangs while a store is opened only delays it', async () => {
    server.pause();
    const { store } = openStore(server.url);
    await holdsFor(300, () => {
      expect(() => store.now(0)).to.throw(StoreUnavailable);
    });
    await refusal(store.read([KEY]));
    server.resume();
    await store.opened();
    expect(await store.read([KEY])).to.deep.equal([undefined]);
    await store.close();
  });

  it('by a crash: calls fail at once, nothing is sent twice, and all is well within two seconds of its return', async () => {
    const { store } = opened;
    await swap(store);
    server.pause();
    const inFlight = [refusal(swap(store)), refusal(store.read([KEY]))];
    await server.kill();
    for (const { afterMs } of await Promise.all(inFlight)) expect(afterMs).to.be.below(BUSY_MS);
    await until(() => store.reachableSinceMs === undefined, BUSY_MS);
    expect((await refusal(swap(store))).afterMs).to.be.below(BUSY_MS);
    await server.restart();
    const tookMs = await until(() => store.reachableSinceMs !== undefined, 2_000 + BUSY_MS);
    expect(tookMs).to.be.below(1_000 + BUSY_MS);
    expect(await store.read([KEY])).to.deep.equal([undefined]);
    expect(opened.log.of('warn').filter((line) => line.includes('not reachable'))).to.have.length.within(1, 3);
  });

  it('by a cut connection is over at once', async () => {
    const { store } = opened;
    await server.cutConnections();
    await until(() => changes.length === 2, 30_000);
    expect(changes).to.deep.equal([false, true]);
    expect(await store.read([KEY])).to.deep.equal([undefined]);
  });

  it('by a change of roles: a replica is left when it refuses a write, and taken back as a primary', async () => {
    const { store } = opened;
    await server.raw.replicaof('127.0.0.1', '1');
    expect(String((await refusal(swap(store))).error)).to.contain('READONLY');
    expect(store.reachableSinceMs).to.equal(undefined);
    await server.raw.replicaof('NO', 'ONE');
    await until(() => store.reachableSinceMs !== undefined, 2_000 + BUSY_MS);
    expect((await swap(store)).applied).to.equal(true);
  });

  it('by a change of roles is noticed without a write', async () => {
    await server.raw.replicaof('127.0.0.1', '1');
    await until(() => opened.store.reachableSinceMs === undefined, 2_000 + BUSY_MS);
    expect(opened.log.text).to.contain('not a primary');
  });

  it('by full memory fails writes alone', async () => {
    const { store } = opened;
    await server.raw.config('SET', 'maxmemory', '1');
    expect(String((await refusal(swap(store))).error)).to.contain('OOM');
    expect(await store.read([KEY])).to.deep.equal([undefined]);
    expect(changes).to.deep.equal([]);
  });
});
