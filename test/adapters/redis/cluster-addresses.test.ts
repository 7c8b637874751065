// Tests that the names in REDIS_URL are resolved again when all nodes of the cluster have new addresses.

import { expect } from 'chai';
import { freePortWithBus } from '../../support/free-ports.js';
import { waitFor } from '../../support/redis-sentinel.js';
import { RedisServer } from '../../support/redis-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { openStore } from './redis-world.js';

/** A cluster of one node. */
async function startNode(): Promise<RedisServer> {
  const settings = ['cluster-enabled yes', 'cluster-config-file nodes.conf', 'cluster-announce-ip 127.0.0.1'];
  const server = await RedisServer.startWithFile(settings, freePortWithBus);
  await server.raw.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
  await waitFor(async () => String(await server.raw.call('CLUSTER', 'INFO')).includes('cluster_state:ok'), 10_000);
  return server;
}

describe('a cluster of which all addresses change', function () {
  this.timeout(20_000);

  it('is found again by its name', async () => {
    const first = await startNode();
    // The port of a proxy plays the host name: it stays the same, and leads to the nodes' present addresses.
    const name = await TcpProxy.start(first.port);
    const { store } = openStore(`redis+cluster://127.0.0.1:${name.port}`, { allowUnsafe: true });
    const answers = () =>
      store.read([{ kind: 'birth', shard: 0 }]).then(
        () => true,
        () => false,
      );
    let second: RedisServer | undefined;
    try {
      await store.opened();
      expect(await answers()).to.equal(true);
      await first.kill();
      await waitFor(async () => !(await answers()), 5_000);
      second = await startNode();
      name.redirect(second.port);
      await waitFor(answers, 10_000);
    } finally {
      await store.close();
      await name.stop();
      await Promise.all([first.stop(), second?.stop()]);
    }
  });
});
