// The store contract on a Redis Cluster.

import { expect } from 'chai';
import { SHARDS, slotOf } from '../../../src/adapters/redis/keys.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { cutOff, freshSession } from '../../contract/store-bench.js';
import { ClusterWorld } from '../../support/redis-cluster.js';
import { until, untilReported } from '../../support/waiting.js';
import { openStore, PATIENT } from './redis-world.js';
import { describeContractOn } from './store-pool.js';

describe('with a Redis Cluster', function () {
  this.timeout(120_000);
  const scene = describeContractOn(
    () => ClusterWorld.start(),
    ({ servers }) => Promise.all(servers.slice(0, 3).map(({ raw }) => raw.flushall())),
  );

  it('logs a doubt before the end while a slot is moving, and reads the log at both nodes', async () => {
    const { world } = scene;
    const { store } = openStore(world.url, PATIENT);
    await store.opened();
    const shard = store.shardOf('ann');
    const born: StoreKey = { kind: 'birth', shard };
    const log = async (): Promise<string[]> => {
      const page = (await store.readLogs(Array.from({ length: SHARDS }, () => undefined)))[shard];
      if (!page || page instanceof Error) throw page ?? new Error('no page');
      expect(page.birthText).to.match(/ born /);
      return page.entries.map(({ what }) => what[0] ?? '');
    };
    const update = { atLeastMs: 0, lifetimeMs: 3_600_000, notAfterMs: store.now(shard) + 3_600_000 };
    await store.compareAndSet(born, undefined, { ...update, value: 'born - 0' });
    const end = () =>
      store.compareAndSet(freshSession('ann'), undefined, {
        ...{ ...update, value: 'ended logout', logged: { presentedMs: 0 } },
      });
    expect((await end()).applied).to.equal(true);
    expect(await log()).to.deep.equal(['b', 's']);
    const [first, second] = world.servers;
    const owner = await world.ownerOf(slotOf(shard));
    const to = owner === first ? second : first;
    if (!to) throw new Error('the cluster has one primary');
    await world.migrate(slotOf(shard), to, async () => {
      const during = await end();
      expect([during.applied, during.writes]).to.deep.equal([true, undefined]);
      const cut = { ...update, value: 'not-before', logged: { presentedMs: 0 } };
      expect((await store.compareAndSet(cutOff('ann'), undefined, cut)).applied).to.equal(true);
      // Each is repeated if the destination is found between doubt and end.
      expect((await log()).join('')).to.match(/^bsd+D+$/);
    });
    await until(() => store.incarnationOf(shard)?.includes(' > ') === false);
    await untilReported(async () => (await end()).applied);
    expect((await log()).join('')).to.match(/^bsd+D+d*s$/);
    await store.close();
  });
});
