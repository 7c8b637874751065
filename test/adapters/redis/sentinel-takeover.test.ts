// Tests of when a store begins to use the primary that Sentinels name: monotonic clock, configuration epochs.

import { expect } from 'chai';
import type { RedisStore } from '../../../src/adapters/redis/redis-store.js';
import { RedisServer } from '../../support/redis-server.js';
import { ScriptedSentinels } from '../../support/scripted-sentinels.js';
import { elapse, holdsFor, until } from '../../support/waiting.js';
import { openStore } from './redis-world.js';

/** For how long at most another process may go on with the primary of before, and what two clocks differ by, ms. */
const TAKEOVER_MS = 1_550;
const HOUR_MS = 3_600_000;

describe('a primary that Sentinels name', function () {
  this.timeout(120_000);
  let servers: readonly [RedisServer, RedisServer];
  let sentinels: ScriptedSentinels;
  const stores: RedisStore[] = [];
  beforeEach(async () => {
    servers = [await RedisServer.start(), await RedisServer.start()];
    sentinels = await ScriptedSentinels.start({ port: servers[0].port, configEpoch: 1, roleReportedMs: HOUR_MS });
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await sentinels.stop();
    await Promise.all(servers.map((server) => server.stop()));
  });

  const open = async (options: Parameters<typeof openStore>[1] = {}): Promise<RedisStore> => {
    const { store } = openStore(sentinels.url, { allowUnsafe: true, ...options });
    stores.push(store);
    await store.opened();
    return store;
  };
  const answers = (store: RedisStore): Promise<boolean> =>
    store.read([{ kind: 'birth', shard: 0 }]).then(
      () => true,
      () => false,
    );

  it('is not used sooner by a process that starts, though the clocks of the Sentinels say that it is one for hours', async () => {
    sentinels.say({ port: servers[1].port, configEpoch: 2, roleReportedMs: HOUR_MS });
    const switchedMs = performance.now();
    const store = await open();
    expect(performance.now() - switchedMs).to.be.above(TAKEOVER_MS);
    expect(await answers(store)).to.equal(true);
  });

  it('is not used sooner by a process that knew the one before', async () => {
    const store = await open();
    expect(await answers(store)).to.equal(true);
    sentinels.say({ port: servers[1].port, configEpoch: 2, roleReportedMs: HOUR_MS });
    const switchedMs = performance.now();
    const before = store.incarnationOf(0);
    await until(() => store.incarnationOf(0) !== before);
    expect(performance.now() - switchedMs).to.be.within(TAKEOVER_MS, 10_000);
  });

  it('is not used on when it is named again by a later epoch: there may have been another one in between', async () => {
    const store = await open();
    expect(await answers(store)).to.equal(true);
    sentinels.mute();
    await elapse(1_000, 'another primary could be named meanwhile');
    sentinels.say({ port: servers[0].port, configEpoch: 3, roleReportedMs: HOUR_MS });
    const namedMs = performance.now();
    await elapse(600, 'what the answers of before allowed ends');
    await holdsFor(namedMs + TAKEOVER_MS - 100 - performance.now(), async () => {
      expect(await answers(store), `after ${performance.now() - namedMs} ms`).to.equal(false);
    });
    await until(() => answers(store));
    expect(performance.now() - namedMs).to.be.above(TAKEOVER_MS);
  });

  it('is named by more than half of all Sentinels, those that REDIS_URL does not name included', async () => {
    const { store: one } = openStore(sentinels.urlOf(1), { allowUnsafe: true });
    const { store: two } = openStore(sentinels.urlOf(2), { allowUnsafe: true });
    stores.push(one, two);
    await two.opened();
    await holdsFor(2 * TAKEOVER_MS, async () => {
      expect(await answers(one)).to.equal(false);
    });
    expect(await answers(two)).to.equal(true);
  });

  it('is waited for while the Sentinels cannot resolve its host name', async () => {
    const said = { port: servers[0].port, configEpoch: 1, roleReportedMs: HOUR_MS };
    sentinels.say({ ...said, ip: '' });
    const { store } = openStore(sentinels.url, { allowUnsafe: true });
    stores.push(store);
    await holdsFor(2 * TAKEOVER_MS, async () => {
      expect(await answers(store)).to.equal(false);
    });
    sentinels.say(said);
    await store.opened();
    expect(await answers(store)).to.equal(true);
  });

  it('has a line of its own in the log once enough replicas confirm, whatever the log says of the one before', async () => {
    const [, next] = servers;
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', `${next.port}`);
    try {
      const { store, log } = openStore(sentinels.url, { allowUnsafe: true, minReplicas: 1 });
      stores.push(store);
      const lines = () => log.lines.filter(({ message }) => message.includes('replicas have what is written'));
      await until(() => lines().length > 0, 30_000);
      expect(lines().map(({ level }) => level)).to.deep.equal(['warn']);
      await until(async () => (await next.raw.info('replication')).includes('state=online'), 30_000);
      sentinels.say({ port: next.port, configEpoch: 2, roleReportedMs: HOUR_MS });
      const acknowledges = () => store.waitForReplicas(0, store.incarnationOf(0)).then(() => true);
      await until(acknowledges, 30_000, { retryErrors: true });
      const [, ...later] = lines();
      expect(later.map(({ level, fields }) => ({ level, fields }))).to.deep.equal([
        { level: 'info', fields: { server: `127.0.0.1:${next.port}` } },
      ]);
    } finally {
      await replica.stop();
    }
  });

  it('is not vouched for once the Sentinels are mute', async () => {
    const [primary, replica] = servers;
    await replica.raw.replicaof('127.0.0.1', primary.port);
    await until(async () => (await primary.raw.info('replication')).includes('state=online'));
    const store = await open({ minReplicas: 1 });
    const settled = (): Promise<boolean> =>
      store.waitForReplicas(0, store.incarnationOf(0)).then(
        () => true,
        () => false,
      );
    expect(await settled()).to.equal(true);
    sentinels.mute();
    await until(async () => !(await answers(store)), TAKEOVER_MS);
    expect(await settled()).to.equal(false);
  });
});
