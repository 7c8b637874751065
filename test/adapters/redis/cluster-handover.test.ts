// The proof that a shard whose new owner was never reached counts as away: a planned handover has no takeover delay.

import { expect } from 'chai';
import { until } from '../../support/waiting.js';
import { openStore } from './redis-world.js';
import { RESP, RespServer } from './resp-server.js';

const AWAY_MS = 1_000;

describe('a shard that is handed over to a node that was never reached', () => {
  it('lets no grace window run until it is', async () => {
    const [old, heir] = [await RespServer.start(), await RespServer.start()];
    const [a, b] = [old, heir].map(({ url }) => new URL(url).port);
    let isReached = false;
    let lines = [`a 127.0.0.1:${a}@1 master - 0 0 1 connected 0-16383`, `b 127.0.0.1:${b}@1 master - 0 0 2 connected`];
    for (const [id, server] of Object.entries({ a: old, b: heir })) {
      server.answer = (command, [what = '']) => {
        if (command === 'role' && server === heir && !isReached) return RESP.error('NOPERM');
        if (command !== 'cluster' || what.toUpperCase() !== 'NODES') return undefined;
        const own = lines.map((line) => (line.startsWith(id) ? line.replace('master', 'myself,master') : line));
        return RESP.text(`${own.join('\n')}\n`);
      };
    }
    const { store } = openStore(`redis+cluster://127.0.0.1:${a}`, { allowUnsafe: true });
    try {
      await store.opened();
      const atMs = store.now(0);
      const startMs = performance.now();
      lines = [`a 127.0.0.1:${a}@1 master - 0 0 1 connected`, `b 127.0.0.1:${b}@1 master - 0 0 2 connected 0-16383`];
      const reads = () =>
        store.read([{ kind: 'birth', shard: 0 }]).then(
          () => true,
          () => false,
        );
      while (await reads()) expect(performance.now() - startMs).to.be.below(5_000);
      const awayFromMs = performance.now();
      await until(() => performance.now() >= awayFromMs + AWAY_MS, 2 * AWAY_MS);
      expect(store.reachableSinceMs).to.equal(undefined);
      isReached = true;
      while (!(await reads())) expect(performance.now() - startMs).to.be.below(10_000);
      const passedMs = performance.now() - startMs;
      // The clock of the store may be behind by a little.
      expect(store.reachedMsSince(0, atMs)).to.be.below(passedMs - 0.9 * AWAY_MS);
    } finally {
      await store.close();
      await Promise.all([old.stop(), heir.stop()]);
    }
  });
});
