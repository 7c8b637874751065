// Tests of a Redis that pauses writes, as in each planned failover: reads continue, and writes time out.

import { expect } from 'chai';
import { StoreUnavailable } from '../../../src/core/errors.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { RedisServer } from '../../support/redis-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/waiting.js';
import { type Opened, openReachable, openStore } from './redis-world.js';

const KEY: StoreKey = { kind: 'not-before', subject: 'ann' };
const PAUSE_MS = 1_500;

const clients = async (server: RedisServer): Promise<number> =>
  String(await server.raw.client('LIST'))
    .split('\n')
    .filter((line) => line.includes('name=latchkey')).length;

describe('a Redis that pauses writes', () => {
  let server: RedisServer;
  let opened: Opened;
  beforeEach(async function () {
    server = await RedisServer.start();
    const [major] = /redis_version:(\d+)/.exec(await server.raw.info('server'))?.slice(1) ?? [];
    if (Number(major) < 7) {
      await server.stop();
      this.skip();
    }
    opened = await openReachable(server);
  });
  afterEach(async () => {
    await opened.store.close();
    await server.stop();
  });
  const swap = (subject = 'ann') => {
    const { store } = opened;
    const draft = { value: 'a', atLeastMs: 0 };
    return store.compareAndSet({ kind: 'not-before', subject }, undefined, {
      ...draft,
      lifetimeMs: 60_000,
      notAfterMs: store.now(0) + 60_000,
    });
  };
  const failed = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'an answer',
      (error: unknown) => error,
    );

  for (const when of ['before the first write', 'after a write']) {
    it(`is read all the while, though writes wait: ${when}`, async () => {
      const { store } = opened;
      const changes: boolean[] = [];
      store.watch((reachable) => changes.push(reachable));
      if (when === 'after a write') await swap();
      await server.raw.client('PAUSE', PAUSE_MS, 'WRITE');
      const startMs = performance.now();
      const writes = [failed(swap('bob')), failed(swap('carl'))];
      let ended = 0;
      for (const write of writes) void write.then(() => ended++);
      await store.read([KEY]);
      expect(ended, 'a read waits for no write').to.equal(0);
      let reads = 0;
      while (performance.now() - startMs < PAUSE_MS - 300) {
        await store.read([KEY]);
        reads++;
        // One that is sent late would be answered when the pause is over.
        const isEarly = performance.now() - startMs < PAUSE_MS - 800;
        if (isEarly && reads % 50 === 0) writes.push(failed(swap(`user ${reads}`)));
      }
      expect(reads).to.be.above(100);
      for (const error of await Promise.all(writes)) expect(error).to.be.instanceOf(StoreUnavailable);
      expect(changes).to.deep.equal([]);
      await server.raw.client('UNPAUSE');
      expect((await swap('dora')).applied).to.equal(true);
    });
  }

  it('is reached anew while it pauses', async () => {
    await server.raw.client('PAUSE', PAUSE_MS, 'WRITE');
    const other = openStore(server.url);
    await other.store.opened();
    expect(await other.store.read([KEY])).to.deep.equal([undefined]);
    await other.store.close();
  });

  it('has one connection for writes, made by the first one, and none once the store is closed', async () => {
    expect(await clients(server)).to.equal(1);
    await Promise.all(Array.from({ length: 20 }, (_, n) => swap(`user ${n}`)));
    expect(await clients(server)).to.equal(2);
    await opened.store.close();
    await until(async () => (await clients(server)) === 0);
  });

  it('has another connection for writes once that is lost, and reads never knew', async () => {
    const { store } = opened;
    await swap();
    const list = String(await server.raw.client('LIST')).split('\n');
    const writer = list.find((line) => line.includes('name=latchkey') && / cmd=eval(sha)? /.test(line));
    const changes: boolean[] = [];
    store.watch((reachable) => changes.push(reachable));
    await server.raw.client('KILL', 'ID', /\bid=(\d+)/.exec(writer ?? '')?.[1] ?? '');
    let won = false;
    while (!won)
      won = await swap('bob').then(
        (swapped) => swapped.applied || swapped.current !== undefined,
        () => false,
      );
    expect(changes).to.deep.equal([]);
    expect(await store.read([KEY])).to.not.deep.equal([undefined]);
  });
});

describe('an address that leads to several Redis servers', () => {
  it('is not written to by a connection that reaches another one than that for reads', async () => {
    const servers = await Promise.all([RedisServer.start(), RedisServer.start()]);
    const proxy = await TcpProxy.start(servers[0].port);
    const { store } = openStore(`redis://127.0.0.1:${proxy.port}`);
    await store.opened();
    proxy.leadTo(servers[1].port);
    const key: StoreKey = { kind: 'not-before', subject: 'ann' };
    const error = await store
      .compareAndSet(key, undefined, {
        value: 'a',
        atLeastMs: 0,
        lifetimeMs: 60_000,
        notAfterMs: store.now(0) + 60_000,
      })
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(StoreUnavailable);
    expect(String(error)).to.include('another Redis');
    expect(await servers[1].raw.dbsize()).to.equal(0);
    expect(await store.read([key])).to.deep.equal([undefined]);
    await store.close();
    await Promise.all([proxy.stop(), ...servers.map((server) => server.stop())]);
  });
});

describe('a Redis whose user may not ask for INFO', () => {
  it('is written to on the connection for reads', async () => {
    const server = await RedisServer.start();
    await server.raw.acl('SETUSER', 'app', 'on', '>sesame', '~lk:1:*', '+@all', '-info');
    const { store } = openStore(server.url.replace('//', '//app:sesame@'), { allowUnsafe: true });
    await store.opened();
    const draft = { value: 'a', atLeastMs: 0 };
    for (let n = 0; n < 2; n++) {
      const key: StoreKey = { kind: 'not-before', subject: `user ${n}` };
      expect(
        (await store.compareAndSet(key, undefined, { ...draft, lifetimeMs: 60_000, notAfterMs: store.now(0) + 60_000 }))
          .applied,
      ).to.equal(true);
    }
    expect(await clients(server)).to.equal(1);
    await store.close();
    await server.stop();
  });
});
