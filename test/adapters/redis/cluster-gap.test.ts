// The proof that a slot without an owner keeps no other slot from its callers.

import { expect } from 'chai';
import { slotOf } from '../../../src/adapters/redis/keys.js';
import { freePortWithBus } from '../../support/free-ports.js';
import { RedisServer } from '../../support/redis-server.js';
import { elapse, untilReported } from '../../support/waiting.js';
import { openStore } from './redis-world.js';

/** Longer than a lease and than the time between two checks of a server. */
const WATCH_MS = 3_000;

describe('a slot that no node of a cluster owns', function () {
  this.timeout(120_000);

  it('keeps no other slot from its callers, though the check of a server reads a key in it', async () => {
    const settings = [
      'cluster-enabled yes',
      'cluster-config-file nodes.conf',
      'cluster-announce-ip 127.0.0.1',
      'cluster-require-full-coverage no',
    ];
    const server = await RedisServer.startWithFile(settings, freePortWithBus);
    await server.raw.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
    await untilReported(
      async () => String(await server.raw.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
      30_000,
    );
    const { store, log } = openStore(`redis+cluster://127.0.0.1:${server.port}`, { allowUnsafe: true });
    const read = (shard: number) => store.read([{ kind: 'birth', shard }]);
    try {
      await store.opened();
      const linesBefore = log.lines.length;
      await server.raw.call('CLUSTER', 'DELSLOTS', slotOf(0));
      const untilMs = performance.now() + WATCH_MS;
      for (let n = 0; performance.now() < untilMs; n++) {
        await read(1 + (n % (store.shards - 1)));
        await read(0).catch(() => {});
        await elapse(10, 'paces reads');
      }
      expect(log.lines.length - linesBefore).to.be.below(4);
      await server.raw.call('CLUSTER', 'ADDSLOTS', slotOf(0));
      await untilReported(() => read(0).then(() => true), 30_000);
    } finally {
      await store.close();
      await server.stop();
    }
  });
});
