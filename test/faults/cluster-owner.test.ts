// Tests that a process uses one owner for each slot of a cluster, for answers and for acknowledgements.

import { expect } from 'chai';
import { keyNames } from '../../src/adapters/redis/keys.js';
import type { RedisStoreOptions } from '../../src/adapters/redis/redis-store.js';
import type { Policy } from '../../src/core/policy.js';
import { Stage } from '../e2e/stage.js';
import { ClusterWorld } from '../support/redis-cluster.js';
import { elapse, holdsFor, until } from '../support/waiting.js';
import { CoreProcess, Tally } from './core-process.js';

/** What a failover takes with these settings, and a slow machine beside it, ms. */
const FAILOVER_MS = 40_000;
/** The slots of the first of three primaries. */
const ofTheFirst = (slot: number): boolean => slot < 5_461;

describe('the owner of a slot of a cluster', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let world: ClusterWorld;
  afterEach(() => stage.clear());

  const startWorld = async (nodeTimeoutMs = 1_500): Promise<void> => {
    world = await ClusterWorld.start({ nodeTimeoutMs });
    stage.owns(() => world.stop());
  };
  const open = async (options: Partial<RedisStoreOptions> = {}, policy: Partial<Policy> = {}): Promise<CoreProcess> => {
    const process = await CoreProcess.open(world.url, options, policy);
    stage.owns(() => process.close());
    return process;
  };

  it('after a failover that lost a logout is never active for the process that acknowledged it', async () => {
    await startWorld();
    const process = await open();
    const subject = process.subjectIn(ofTheFirst);
    const pair = await process.refresh(await process.issue(subject));
    const [primary, , , successor] = world.servers;
    if (!primary || !successor) throw new Error('the cluster has too few nodes');
    const [name = ''] = keyNames([{ kind: 'session', subject, sessionId: pair.sessionId }]);
    const before = await primary.raw.get(name);
    expect(await process.logout(pair)).to.equal('ok');
    await successor.raw.readonly();
    await until(async () => (await successor.raw.get(name)) !== before, 30_000);
    await primary.kill();
    let answeredMs = Number.POSITIVE_INFINITY;
    let going = true;
    const tally = new Tally();
    const calls = (async () => {
      while (going) {
        const outcome = await process.validate(pair);
        tally.add(outcome);
        if (outcome !== 'UNAVAILABLE') answeredMs = Math.min(answeredMs, performance.now());
        await elapse(2, 'paces calls');
      }
    })();
    await until(async () => (await successor.raw.info('replication')).includes('role:master'), FAILOVER_MS);
    // As if it had lost this one write, and others had caught up with its count.
    await until(async () => (await successor.raw.set(name, before ?? '').catch(() => '')) === 'OK', 30_000);
    const lostMs = performance.now();
    await until(() => answeredMs < Number.POSITIVE_INFINITY, FAILOVER_MS);
    await elapse(1_000, 'a wrong answer may come late');
    going = false;
    await calls;
    expect(answeredMs, 'the write was lost before the first answer').to.be.above(lostMs);
    expect(tally.of('active'), tally.text).to.equal(0);
    expect(tally.of('REVOKED'), tally.text).to.be.above(0);
  });

  it('keeps the time for which a slot has been reached when the primary dies: no grace window opens anew', async () => {
    const graceMs = 2_000;
    await startWorld();
    const process = await open({}, { graceMs });
    const subject = process.subjectIn(ofTheFirst);
    const shard = process.store.shardOf(subject);
    const used = await process.issue(subject);
    const pair = await process.refresh(used);
    const usedMs = process.store.now(shard);
    await until(() => process.store.reachedMsSince(shard, usedMs) > graceMs + 500, 30_000);
    await world.servers[0]?.kill();
    await until(async () => (await process.validate(pair)) === 'UNAVAILABLE', 30_000);
    await until(async () => (await process.validate(pair)) === 'active', FAILOVER_MS);
    // The nodes confirm the new primary one after the other.
    await holdsFor(1_000, () => {
      expect(process.store.reachedMsSince(shard, usedMs)).to.be.above(graceMs + 500);
    });
    expect(await process.refreshed(used)).to.equal('REUSED');
  });

  for (const [way, calls] of [
    ['while calls go on', true],
    ['while nothing is called', false],
  ] as const) {
    it(`keeps the time for which a slot has been reached when it moves to a fresh node ${way}`, async () => {
      const graceMs = 2_500;
      await startWorld();
      const [fresh] = await world.addPrimary();
      const process = await open({}, { graceMs });
      const subject = process.subjectIn(ofTheFirst);
      const shard = process.store.shardOf(subject);
      const used = await process.issue(subject);
      const pair = await process.refresh(used);
      const usedMs = process.store.now(shard);
      await until(() => process.store.reachedMsSince(shard, usedMs) > graceMs + 500, 30_000);
      const tally = new Tally();
      const callFor = async (ms: number): Promise<void> => {
        for (const untilMs = performance.now() + ms; performance.now() < untilMs; await elapse(20, 'paces calls')) {
          if (calls) tally.add(await process.validate(pair));
        }
      };
      const migration = await world.beginMigration(process.slotOf(subject), fresh);
      await callFor(500);
      while ((await migration.move(1)) > 0) await callFor(200);
      await migration.finish();
      await callFor(500);
      await world.agreedOwnerOf(migration.slot, 30_000, migration.from);
      await callFor(1_000);
      await until(async () => (await process.validate(pair)) === 'active', 30_000);
      const sinceMs = process.store.now(shard) - usedMs;
      // If the time before the move were lost, more than the grace window would be missing.
      const leastMs = sinceMs - graceMs;
      expect(process.store.reachedMsSince(shard, usedMs), `of ${sinceMs} ms`).to.be.within(leastMs, sinceMs + 50);
      expect(await process.refreshed(used)).to.equal('REUSED');
      expect(tally.of('active'), tally.text).to.be.at.least(0.98 * tally.total);
    });
  }

  it('is not vouched for once it may be another: what it holds is not confirmed after the lease', async () => {
    // None of the nodes takes the others for dead meanwhile.
    await startWorld(20_000);
    const process = await open({ minReplicas: 1 });
    const [, second, third, , ...others] = world.servers;
    const shard = process.store.shardOf(process.subjectIn(ofTheFirst));
    expect(await process.waitForReplicas(shard)).to.equal('ok');
    // The primary and its replica go on; all that could name another one are mute.
    for (const server of [second, third, ...others]) server?.pause();
    try {
      await until(async () => (await process.read(shard)) === 'UNAVAILABLE', 30_000);
      await holdsFor(200, async () => {
        expect(await process.read(shard)).to.equal('UNAVAILABLE');
      });
      expect(await process.waitForReplicas(shard)).to.equal('UNAVAILABLE');
    } finally {
      for (const server of [second, third, ...others]) server?.resume();
    }
    await until(async () => (await process.waitForReplicas(shard)) === 'ok', 30_000);
  });
});
