// Tests of primaries with a new replication id: which of them count as having lost writes.

import { expect } from 'chai';
import { RedisServer } from '../../support/redis-server.js';
import { holdsFor, until } from '../../support/waiting.js';
import { openReachable } from './redis-world.js';

const BACKLOG_TTL_S = 1;

describe('a primary whose replicas are gone for longer than it keeps its backlog', function () {
  this.timeout(120_000);

  it('answers on, and nothing is logged of a loss', async () => {
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const primary = await RedisServer.start('--repl-backlog-ttl', `${BACKLOG_TTL_S}`, ...durable);
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', `${primary.port}`);
    const replication = async (): Promise<string> => primary.raw.info('replication');
    const replidOf = (text: string): string | undefined => /master_replid:(\w+)/.exec(text)?.[1];
    await until(async () => (await replication()).includes('state=online'));
    const { store, log } = await openReachable(primary, { allowUnsafe: true });
    try {
      const before = replidOf(await replication());
      await replica.kill();
      const read = () => store.read([{ kind: 'birth', shard: 0 }]);
      await until(async () => {
        await read();
        return replidOf(await replication()) !== before;
      });
      // The server is looked at each second.
      await holdsFor(2_500, async () => {
        await read();
      });
      expect([...log.of('warn'), ...log.of('error')]).to.deep.equal([]);
    } finally {
      await store.close();
      await Promise.all([replica.stop(), primary.stop()]);
    }
  });
});

describe('a primary that was a replica in between, too short for a role to be seen', function () {
  this.timeout(120_000);

  it('is left, and the log says that it may have lost writes', async () => {
    const primary = await RedisServer.start();
    const { store, log } = await openReachable(primary, { allowUnsafe: true });
    const changes: boolean[] = [];
    store.watch((reachable) => changes.push(reachable));
    try {
      await primary.raw.multi().replicaof('127.0.0.1', '1').replicaof('NO', 'ONE').exec();
      await until(() => changes.length === 2, 30_000);
      expect(changes).to.deep.equal([false, true]);
      expect(log.text).to.include('may have lost writes').and.not.include('nothing was lost');
    } finally {
      await store.close();
      await primary.stop();
    }
  });
});
