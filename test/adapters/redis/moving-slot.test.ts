// Tests of the owner of a slot and of one that moves, against nodes whose every answer is scripted.

import { expect } from 'chai';
import { keyNames } from '../../../src/adapters/redis/keys.js';
import type { RedisStore, RedisStoreOptions } from '../../../src/adapters/redis/redis-store.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { until } from '../../support/waiting.js';
import { openStore } from './redis-world.js';
import { RESP } from './resp-server.js';
import { ScriptedCluster, type ScriptedNode } from './scripted-cluster.js';

const KEY: StoreKey = { kind: 'not-before', subject: 'ann' };
/** What a new owner waits for after another one, ms. */
const TAKEOVER_MS = 1_550;

/** A clock of which a delay takes longer than any test, until it is moved on. */
class SlowClock {
  #fromMs = Number.POSITIVE_INFINITY;
  #addedMs = 0;

  get nowMs(): number {
    const nowMs = performance.now();
    return Math.min(nowMs, this.#fromMs) + Math.max(0, nowMs - this.#fromMs) / 100 + this.#addedMs;
  }

  slowDown(): void {
    this.#fromMs = performance.now();
  }

  add(ms: number): void {
    this.#addedMs += ms;
  }
}

describe('a slot of a cluster', function () {
  this.timeout(120_000);
  let cluster: ScriptedCluster;
  const stores: RedisStore[] = [];
  beforeEach(async () => {
    cluster = await ScriptedCluster.start();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await cluster.stop();
  });

  const open = async (options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> => {
    const { store } = openStore(cluster.url, { allowUnsafe: true, ...options });
    stores.push(store);
    await store.opened();
    return store;
  };
  const birthOf = (store: RedisStore): StoreKey => ({ kind: 'birth', shard: store.shardOf('ann') });
  const answers = (store: RedisStore): Promise<boolean> =>
    store.read([birthOf(store), KEY]).then(
      () => true,
      () => false,
    );
  const settles = async (store: RedisStore): Promise<boolean> => {
    const shard = store.shardOf('ann');
    return store.waitForReplicas(shard, store.incarnationOf(shard)).then(
      () => true,
      () => false,
    );
  };
  /** The owner has not got all keys any more. @param single its answer to one key */
  const split = (single: (key: string) => string): void => {
    cluster.node(0).evaluate = (keys) =>
      keys.length > 1 ? RESP.error('TRYAGAIN Multiple keys request during rehashing of slot') : single(`${keys}`);
  };
  const beginMove = async (store: RedisStore): Promise<void> => {
    const shard = store.shardOf('ann');
    const before = store.incarnationOf(shard);
    cluster.view.moving = { shard, to: 1 };
    await until(() => store.incarnationOf(shard) !== before, 30_000);
    await until(() => !store.incarnationOf(shard)?.includes('undefined'), 30_000);
  };

  it('that moves is read birth record last: it must vouch for what was absent before', async () => {
    const store = await open();
    const [born, name] = keyNames([birthOf(store), KEY]);
    let isWiped = false;
    split((key) => {
      // The node is wiped between the two reads.
      if (key === name) isWiped = true;
      return RESP.list(key === born && !isWiped ? RESP.text('1 5 born - 0') : RESP.nil);
    });
    await beginMove(store);
    expect(await store.read([birthOf(store), KEY])).to.deep.equal([undefined, undefined]);
  });

  it('that moves is not read at a destination that most nodes take for no primary', async () => {
    const store = await open();
    split(() => RESP.error(`ASK 1 127.0.0.1:${cluster.node(1).server.port}`));
    await beginMove(store);
    await until(() => cluster.node(1).server.commands.includes('role'), 30_000);
    expect(await answers(store)).to.equal(true);
    cluster.view.flags = (node) => (node === 1 ? 'master,fail' : undefined);
    await until(async () => !(await answers(store)));
    cluster.view.flags = () => undefined;
    await until(() => answers(store));
  });

  it('that moves waits for the replicas of both nodes, and is named by both', async () => {
    const store = await open({ minReplicas: 1 });
    const shard = store.shardOf('ann');
    const alone = store.incarnationOf(shard);
    await beginMove(store);
    expect(store.incarnationOf(shard)).to.include(alone).and.not.equal(alone);
    await until(() => settles(store));
    cluster.node(1).replicas = 0;
    expect(await settles(store)).to.equal(false);
    cluster.view.moving = undefined;
    await until(() => store.incarnationOf(shard) === alone, 30_000);
    expect(await settles(store)).to.equal(true);
  });

  for (const [what, isSilent] of [
    ['at once where the owner of before names it itself', false],
    ['after the delay where the owner of before does not answer', true],
  ] as const) {
    it(`is used at its new owner ${what}`, async () => {
      const clock = new SlowClock();
      const store = await open({ commandTimeoutMs: 5_000, monotonicMs: () => clock.nowMs });
      const shard = store.shardOf('ann');
      // The new owner is connected to before it is the owner, so that nothing else is waited for.
      await beginMove(store);
      clock.slowDown();
      const answered = async (nodes: readonly ScriptedNode[], times: number): Promise<void> => {
        const count = ({ server }: ScriptedNode): number => server.commands.filter((name) => name === 'cluster').length;
        const before = nodes.map(count);
        await until(() => nodes.every((node, n) => count(node) >= (before[n] ?? 0) + times), 30_000);
      };
      const isAtNew = (): boolean => store.incarnationOf(shard)?.startsWith(cluster.node(1).id) ?? false;
      // The owner of before is the last to answer that another one has the slot, if it answers.
      const owner = cluster.node(0);
      let resume = (): void => {};
      owner.pause = new Promise((resolve) => {
        resume = resolve;
      });
      Object.assign(cluster.view, { owner: 1, epoch: 2, moving: undefined });
      await answered([cluster.node(1), cluster.node(2)], 4);
      expect(isAtNew()).to.equal(false);
      if (isSilent) clock.add(TAKEOVER_MS);
      else owner.pause = undefined;
      if (!isSilent) resume();
      await until(isAtNew, 30_000);
      resume();
    });
  }

  it('is not answered for by what comes when the lease is over, as to a process that was paused', async () => {
    const clock = new SlowClock();
    const store = await open({ commandTimeoutMs: 5_000, monotonicMs: () => clock.nowMs });
    expect(await answers(store)).to.equal(true);
    // Questions of now are answered after the test.
    cluster.lateMs = 3_000;
    let isSent = false;
    cluster.node(0).evaluate = () => {
      isSent = true;
      clock.add(TAKEOVER_MS);
      return undefined;
    };
    expect(await answers(store)).to.equal(false);
    expect(isSent).to.equal(true);
  });

  it('is not used for longer than the lease after the questions, though the answers come late', async () => {
    const store = await open({ commandTimeoutMs: 5_000 });
    expect(await answers(store)).to.equal(true);
    cluster.lateMs = 1_000;
    // From now on a question is sent every 1.3 seconds, and its answer is a second old when it comes.
    await until(async () => !(await answers(store)), 6_000);
  });
});
