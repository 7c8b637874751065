// Tests of REDIS_MIN_REPLICAS=1 in a cluster whose slots move: only writes on the owner's replica are acknowledged.

import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { ClusterWorld } from '../support/redis-cluster.js';
import type { RedisServer } from '../support/redis-server.js';
import { elapse, until } from '../support/waiting.js';
import { CoreProcess, Tally } from './core-process.js';

/** What a failover takes with these settings, and a slow machine beside it, ms. */
const FAILOVER_MS = 40_000;
/** The share of the calls that may fail while a slot moves to a fresh node. */
const FAILING_SHARE = 0.05;
/** The slots of the first of three primaries. */
const ofTheFirst = (slot: number): boolean => slot < 5_461;

describe('a cluster whose replicas must confirm', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let world: ClusterWorld;
  beforeEach(async () => {
    world = await ClusterWorld.start();
    stage.owns(() => world.stop());
  });
  afterEach(() => stage.clear());

  const open = async (): Promise<CoreProcess> => {
    const process = await CoreProcess.open(world.url, { minReplicas: 1 });
    stage.owns(() => process.close());
    return process;
  };
  const serverAt = (index: number): RedisServer => {
    const server = world.servers[index];
    if (!server) throw new Error('the cluster has too few nodes');
    return server;
  };

  it('acknowledges nothing that the replica of the new owner has not confirmed, after a slot has moved', async () => {
    const process = await open();
    const subject = process.subjectIn(ofTheFirst);
    const [to, replica] = [serverAt(1), serverAt(4)];
    const pairs: Awaited<ReturnType<CoreProcess['issue']>>[] = [];
    for (let n = 0; n < 1_500; n++) pairs.push(await process.issue(subject));
    const logout = async (): Promise<string> => {
      const pair = pairs.pop();
      return pair ? process.logout(pair) : 'none is left';
    };
    expect(await logout()).to.equal('ok');
    replica.pause();
    try {
      await world.migrate(process.slotOf(subject), to);
      const tally = new Tally();
      const startMs = performance.now();
      const isEnough = (): boolean => performance.now() >= startMs + 3_000 && tally.total > 20;
      const user = async (): Promise<void> => {
        while (!isEnough() && pairs.length > 0) {
          const outcome = await logout();
          tally.add(outcome);
          if (outcome !== 'ok') await elapse(10, 'paces calls');
        }
      };
      await Promise.all(Array.from({ length: 8 }, user));
      expect(tally.of('ok'), tally.text).to.equal(0);
      expect(tally.of('UNAVAILABLE'), tally.text).to.be.above(20);
    } finally {
      replica.resume();
    }
    await until(async () => (await logout()) === 'ok', FAILOVER_MS);
  });

  it('acknowledges nothing that went ahead to a node whose replica has not confirmed it', async () => {
    const process = await open();
    const subject = process.subjectIn(ofTheFirst);
    const [to, replica] = [serverAt(1), serverAt(4)];
    const logout = async (): Promise<string> => process.logout(await process.issue(subject));
    expect(await logout()).to.equal('ok');
    replica.pause();
    try {
      const migration = await world.beginMigration(process.slotOf(subject), to);
      const tally = new Tally();
      for (const untilMs = performance.now() + 2_000; performance.now() < untilMs; ) tally.add(await logout());
      expect(tally.of('ok'), tally.text).to.equal(0);
      expect(await to.raw.call('CLUSTER', 'COUNTKEYSINSLOT', migration.slot)).to.be.above(0);
    } finally {
      replica.resume();
    }
    await until(async () => (await logout()) === 'ok', FAILOVER_MS);
  });

  it('acknowledges on while a slot moves to a fresh node that has a replica of its own', async () => {
    const [fresh] = await world.addPrimary(1);
    const process = await open();
    const subject = process.subjectIn(ofTheFirst);
    const pairs: Awaited<ReturnType<CoreProcess['issue']>>[] = [];
    for (let n = 0; n < 300; n++) pairs.push(await process.issue(subject));
    const kept = await process.issue(subject);
    const [logouts, validations] = [new Tally(), new Tally()];
    let going = true;
    const repeat = async (tally: Tally, call: () => Promise<string>): Promise<void> => {
      for (; going; await elapse(20, 'paces calls')) tally.add(await call());
    };
    const logout = async (): Promise<string> => {
      const pair = pairs.pop();
      return pair ? process.logout(pair) : 'none is left';
    };
    const users = Promise.all([repeat(logouts, logout), repeat(validations, () => process.validate(kept))]);
    /** Waits for `count` more logouts and as many more validations. */
    const made = async (count: number): Promise<void> => {
      const most = [logouts, validations].map(({ total }) => total + count);
      await until(() => logouts.total >= (most[0] ?? 0) && validations.total >= (most[1] ?? 0), FAILOVER_MS);
    };
    await made(20);
    const migration = await world.beginMigration(process.slotOf(subject), fresh);
    await made(50);
    await migration.move(5);
    await made(40);
    await migration.finish();
    await made(50);
    going = false;
    await users;
    expect(logouts.total).to.be.above(20);
    expect(logouts.of('ok'), logouts.text).to.be.at.least((1 - FAILING_SHARE) * logouts.total);
    expect(validations.of('active'), validations.text).to.be.at.least((1 - FAILING_SHARE) * validations.total);
    expect(await world.agreedOwnerOf(migration.slot, 30_000)).to.equal(fresh);
  });

  it('keeps the connections that reads go by where nothing can be written to wait for replicas', async () => {
    const [fresh] = await world.addPrimary(1);
    const process = await open();
    const subject = process.subjectIn(ofTheFirst);
    const slot = process.slotOf(subject);
    const owner = await world.agreedOwnerOf(slot, 30_000);
    // The only slot of ours that the fresh node has.
    const shard = process.store.shardOf(subject);
    const before = process.store.incarnationOf(shard);
    await world.migrate(slot, fresh);
    await until(() => process.store.incarnationOf(shard) !== before, 30_000);
    await until(async () => (await process.waitForReplicas(shard)) === 'ok', 30_000);
    expect(await process.logout(await process.issue(subject))).to.equal('ok');
    const connections = async (): Promise<string[]> => {
      const list = String(await fresh.raw.client('LIST')).split('\n');
      const ours = list.filter((line) => line.includes('name=latchkey'));
      return ours.map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '').sort();
    };
    const there = await connections();
    expect(there).to.not.deep.equal([]);
    // Every key of it goes on ahead; the slot stays.
    const migration = await world.beginMigration(slot, owner);
    await migration.move();
    const kept = await process.issue(subject);
    const tally = new Tally();
    for (const untilMs = performance.now() + 2_500; performance.now() < untilMs; await elapse(20, 'paces calls')) {
      tally.add(await process.validate(kept));
      void process.waitForReplicas(shard);
    }
    expect(await connections()).to.include.members(there);
    expect(tally.of('active'), tally.text).to.be.at.least((1 - FAILING_SHARE) * tally.total);
  });

  it('acknowledges again after a migration that was cancelled, though its target fails over', async () => {
    const process = await open();
    const subject = process.subjectIn(ofTheFirst);
    const target = serverAt(1);
    const logout = async (): Promise<string> => process.logout(await process.issue(subject));
    expect(await logout()).to.equal('ok');
    const migration = await world.beginMigration(process.slotOf(subject), target);
    // Its entry is new, so that it goes ahead.
    expect(await logout()).to.equal('ok');
    await migration.cancel();
    expect(await logout()).to.equal('ok');
    const slot = process.slotOf(process.subjectIn((each) => each > 5_461 && each < 10_922));
    expect(await world.ownerOf(slot)).to.equal(target);
    await target.kill();
    await world.failedOver(slot, target, FAILOVER_MS);
    await until(async () => (await logout()) === 'ok', 30_000);
  });
});
