// Tests of the server check: which servers are used or refused, the messages, and that no message holds a password.

import { expect } from 'chai';
import type { RedisStore } from '../../../src/adapters/redis/redis-store.js';
import { UnsafeStore } from '../../../src/adapters/redis/unsafe-store.js';
import { StoreUnavailable } from '../../../src/core/errors.js';
import { BUSY_MS } from '../../support/busy.js';
import { RedisServer } from '../../support/redis-server.js';
import { holdsFor, until } from '../../support/waiting.js';
import { type Opened, openStore } from './redis-world.js';

const PASSWORD = 'p@ss word/%"';

describe('a Redis', () => {
  const servers: RedisServer[] = [];
  const stores: RedisStore[] = [];
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  const start = async (...args: string[]): Promise<RedisServer> => {
    const server = await RedisServer.start(...args);
    servers.push(server);
    return server;
  };
  const open = (url: string, allowUnsafe = false): Opened => {
    const opened = openStore(url, { allowUnsafe });
    stores.push(opened.store);
    return opened;
  };
  /** Opens a store that must not become reachable, and waits until it has said why. */
  const refused = async (url: string): Promise<Opened> => {
    const opened = open(url);
    await until(() => opened.log.of('warn').length > 0, 2_000 + BUSY_MS);
    await holdsFor(100, () => {
      expect(opened.store.reachableSinceMs).to.equal(undefined);
    });
    const read = opened.store.read([{ kind: 'birth', shard: 0 }]);
    expect(await read.catch((reason: unknown) => reason)).to.be.instanceOf(StoreUnavailable);
    return opened;
  };

  it('that may evict is refused, with the command that mends it, and used once it is mended', async () => {
    const server = await start('--maxmemory-policy', 'allkeys-lru');
    const { store } = await refused(server.url);
    const refusal = await store.opened().catch((reason: unknown) => reason);
    expect(refusal).to.be.instanceOf(UnsafeStore);
    const { message } = refusal as UnsafeStore;
    expect(message).to.contain('allkeys-lru').and.contain('redis-cli CONFIG SET maxmemory-policy noeviction');
    await server.raw.config('SET', 'maxmemory-policy', 'noeviction');
    await until(() => store.reachableSinceMs !== undefined, 2_000 + BUSY_MS);
  });

  it('whose policy is changed while it is used is left within two seconds, and used again once that is mended', async () => {
    const server = await start();
    const { store, log } = open(server.url);
    await store.opened();
    await server.raw.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await until(() => store.reachableSinceMs === undefined, 2_000 + BUSY_MS);
    expect(log.of('warn').join()).to.contain('allkeys-lru').and.contain('CONFIG SET maxmemory-policy noeviction');
    const read = store.read([{ kind: 'birth', shard: 0 }]);
    expect(String(await read.catch((reason: unknown) => reason))).to.contain('allkeys-lru');
    await server.raw.config('SET', 'maxmemory-policy', 'noeviction');
    await until(() => store.reachableSinceMs !== undefined, 2_000 + BUSY_MS);
  });

  it('whose policy is changed while it is used is kept where that is allowed, with one warning', async () => {
    const server = await start();
    const { store, log } = open(server.url, true);
    const changes: boolean[] = [];
    await store.opened();
    store.watch((reachable) => changes.push(reachable));
    await server.raw.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const before = await server.calls('time');
    await until(async () => (await server.calls('time')) >= before + 2);
    expect(changes).to.deep.equal([]);
    expect(log.of('warn').filter((line) => line.includes('allkeys-lru'))).to.have.length(1);
  });

  it('of which the user loses the right to our keys while it is used is left, and used again once it has it', async () => {
    const server = await start();
    await server.raw.acl('SETUSER', 'app', 'on', '>sesame', '~lk:*', '+@all');
    const { store, log } = open(`redis://app:sesame@127.0.0.1:${server.port}`);
    await store.opened();
    await server.raw.acl('SETUSER', 'app', 'resetkeys');
    await until(() => store.reachableSinceMs === undefined, 2_000 + BUSY_MS);
    expect(log.text).to.contain('NOPERM');
    await server.raw.acl('SETUSER', 'app', '~lk:*');
    await until(() => store.reachableSinceMs !== undefined, 2_000 + BUSY_MS);
  });

  it('that evicts only what has a lifetime is refused too: all entries have one', async () => {
    const server = await start('--maxmemory-policy', 'volatile-ttl');
    const { store } = await refused(server.url);
    expect(await store.opened().catch((reason: unknown) => reason)).to.be.instanceOf(UnsafeStore);
  });

  it('that may evict is used where that is allowed, with a warning', async () => {
    const server = await start('--maxmemory-policy', 'allkeys-lru');
    const { store, log } = open(server.url, true);
    await store.opened();
    expect(log.of('warn').join()).to.contain('allkeys-lru');
  });

  it('that does not report its policy is refused', async () => {
    const server = await start();
    await server.raw.acl('SETUSER', 'app', 'on', '>sesame', '~lk:*', '+@all', '-info');
    const { store } = await refused(`redis://app:sesame@127.0.0.1:${server.port}`);
    expect(String(await store.opened().catch((reason: unknown) => reason))).to.contain('could not be read');
  });

  it('that is a replica is refused', async () => {
    const primary = await start();
    const replica = await start('--replicaof', `127.0.0.1 ${primary.port}`);
    const { log } = await refused(replica.url);
    expect(log.text).to.contain('not a primary');
  });

  it('that is still loading its data is waited for', async () => {
    const server = await start('--appendonly', 'yes', '--key-load-delay', '1');
    const writes = server.raw.pipeline();
    for (let i = 0; i < 12_000; i++) writes.set(`filler ${i}`, 'x');
    await writes.exec();
    await server.kill();
    const restarted = server.restart();
    // While it loads, it answers now and then.
    const { store, log } = openStore(server.url, { connectTimeoutMs: 5_000 });
    stores.push(store);
    await store.opened();
    await restarted;
    expect(log.text).to.contain('loading');
  });

  it('is recognized by what it refuses', async () => {
    const server = await start('--requirepass', PASSWORD);
    const address = `127.0.0.1:${server.port}`;
    expect((await refused(`redis://${address}`)).log.text).to.contain('NOAUTH');
    expect((await refused(`redis://:wrong@${address}`)).log.text).to.contain('WRONGPASS');
    expect((await refused(`redis://nobody:wrong@${address}`)).log.text).to.contain('WRONGPASS');
    const { store } = open(server.url);
    await store.opened();
  });

  it('of which the user may not touch our keys is refused', async () => {
    const server = await start();
    await server.raw.acl('SETUSER', 'app', 'on', '>sesame', '~other:*', '+@all');
    expect((await refused(`redis://app:sesame@127.0.0.1:${server.port}`)).log.text).to.contain('NOPERM');
  });

  it('that has not the database of the URL is refused, not used with another', async () => {
    const server = await start();
    const { log } = await refused(`${server.url}/99`);
    expect(log.text).to.contain('Redis answered with an error');
    const { store } = open(`${server.url}/3`);
    await store.opened();
    await store.compareAndSet({ kind: 'birth', shard: 0 }, undefined, {
      value: 'a',
      atLeastMs: 0,
      lifetimeMs: undefined,
      notAfterMs: store.now(0) + 9_999,
    });
    expect(await server.raw.info('keyspace'))
      .to.contain('db3:keys=1')
      .and.not.contain('db0');
  });

  it('that is not there is reported once, not with every try', async () => {
    const server = await start();
    await server.kill();
    const { log } = await refused(server.url);
    await holdsFor(400, () => {
      expect(log.of('warn')).to.have.length(1);
    });
    expect(log.text).to.contain('ECONNREFUSED');
  });

  it('never has its password logged or in an error', async () => {
    const server = await start('--requirepass', PASSWORD, '--maxmemory-policy', 'allkeys-lru');
    const forms = [PASSWORD, encodeURIComponent(PASSWORD), JSON.stringify(PASSWORD).slice(1, -1)];
    const { store, log } = await refused(server.url);
    const outputs = [log.text, String(await store.opened().catch((reason: unknown) => reason))];
    await server.raw.config('SET', 'requirepass', 'another');
    await server.cutConnections();
    await until(() => log.text.includes('WRONGPASS'), 2_000 + BUSY_MS);
    outputs.push(log.text);
    for (const form of forms) expect(outputs.join()).to.not.contain(form);
  });

  describe('warns once of what a crash would cost', () => {
    const warnings = async (...args: string[]): Promise<readonly string[]> => {
      const server = await start(...args);
      const { store, log } = open(server.url);
      await store.opened();
      await server.cutConnections();
      await until(() => log.of('info').length > 1, 2_000 + BUSY_MS);
      return log.of('warn').filter((line) => !line.includes('not reachable'));
    };

    it('where it keeps snapshots only', async () => {
      const lines = await warnings('--save', '3600 1');
      expect(lines).to.have.length(1);
      expect(lines[0]).to.contain('snapshots only').and.contain('appendonly yes');
    });

    it('where it keeps nothing', async () => {
      const lines = await warnings();
      expect(lines).to.have.length(1);
      expect(lines[0]).to.contain('keeps nothing on disk');
    });

    it('where it does not report it', async () => {
      const server = await start();
      await server.raw.acl('SETUSER', 'app', 'on', '>sesame', '~lk:*', '+@all', '-config');
      const { store, log } = open(`redis://app:sesame@127.0.0.1:${server.port}`);
      await store.opened();
      expect(log.of('warn').join()).to.contain('does not report');
    });

    it('but not where it keeps a log of all writes', async () => {
      expect(await warnings('--appendonly', 'yes')).to.deep.equal([]);
    });
  });

  describe('is not even asked', () => {
    for (const url of [
      'http://:sesame@127.0.0.1:1',
      'sesame',
      'REDISS://:sesame@127.0.0.1:1',
      'redis://:sesame@127.0.0.1:1/?enableOfflineQueue=true',
      'redis://:sesame@127.0.0.1:1/zero',
      'redis://:sesame%zz@127.0.0.1:1',
    ]) {
      it(`by a URL that cannot be used: ${url}`, () => {
        const error = expect(() => openStore(url)).to.throw(Error);
        error.with.property('message').that.does.not.contain('sesame');
      });
    }
  });
});
