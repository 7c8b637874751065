// Tests of how the ledger detects that another server answers: before the read, after it, and by the count of writes.

import { expect } from 'chai';
import { Ledger } from '../../src/core/durability/ledger.js';
import { restoreEntry } from '../../src/core/durability/restore.js';
import type { Birth } from '../../src/core/session/entries.js';
import type { EntryKey } from '../../src/core/session/store-keys.js';
import { run, World } from '../support/world.js';

const SHARD = 1;
const birth = (writes: number, atMs = 5): Birth => ({ atMs, adoptedSinceMs: undefined, writes, isLogged: true });

describe('an acknowledgement', () => {
  it('of a write always waits for replicas; of what was read once for each text and server', async () => {
    const world = new World();
    let waits = 0;
    const ledger = new Ledger({ ...world.store(0), waitForReplicas: async () => void waits++ }, () => {});
    const key: EntryKey = { kind: 'not-before', subject: 'alice' };
    const current = '1 5 not-before';
    const acknowledge = async (writes?: number): Promise<number> => {
      await ledger.acknowledge(
        ledger.snapshot(SHARD),
        key,
        { current, ...(writes === undefined ? {} : { writes }) },
        1e15,
      );
      return waits;
    };
    expect(await acknowledge()).to.equal(1);
    expect(await acknowledge()).to.equal(1);
    expect(await acknowledge(1)).to.equal(2);
    expect(await acknowledge(2)).to.equal(3);
  });
});

describe('an entry whose lifetime is over', () => {
  it('is not put back', async () => {
    const world = new World();
    const key: EntryKey = { kind: 'not-before', subject: 'alice' };
    const acknowledgedMs = world.nowMs;
    const line = { shard: SHARD, key, text: '1 5 not-before', acknowledgedMs, incarnation: '0' };
    for (const [keptUntilMs, isPut] of [
      [world.nowMs, false],
      [world.nowMs + 1, true],
    ] as const) {
      expect(await run(world, restoreEntry(world.store(0), { ...line, keptUntilMs }))).to.equal(isPut);
      expect(world.get(key) !== undefined).to.equal(isPut);
    }
  });
});

describe('an answer of the store', () => {
  let world: World;
  let ledger: Ledger;
  beforeEach(() => {
    world = new World();
    ledger = new Ledger(world.store(0), () => {});
    expect(ledger.isBehind(ledger.snapshot(SHARD), birth(3))).to.equal(false);
  });

  it('is of the server that was looked at', () => {
    expect(ledger.isBehind(ledger.snapshot(SHARD), birth(3))).to.equal(false);
  });

  it('may be of another one that came after the question', () => {
    const snapshot = ledger.snapshot(SHARD);
    world.incarnation++;
    expect(ledger.isBehind(snapshot, birth(3))).to.equal(true);
  });

  it('may be of another one that was there at the question, though it is gone', () => {
    world.incarnation++;
    const snapshot = ledger.snapshot(SHARD);
    world.incarnation--;
    expect(ledger.isBehind(snapshot, birth(3))).to.equal(true);
  });

  it('is of an older state with a lower count, or an earlier birth', () => {
    expect(ledger.isBehind(ledger.snapshot(SHARD), birth(2))).to.equal(true);
    expect(ledger.isBehind(ledger.snapshot(SHARD), birth(9, 4))).to.equal(true);
  });

  it('is judged by what was known before the question: one that was overtaken is no older state', () => {
    const snapshot = ledger.snapshot(SHARD);
    expect(ledger.isBehind(ledger.snapshot(SHARD), birth(7))).to.equal(false);
    expect(ledger.isBehind(snapshot, birth(4))).to.equal(false);
    // And takes nothing back of what was known since.
    expect(ledger.isBehind(ledger.snapshot(SHARD), birth(6))).to.equal(true);
  });
});

describe('a round of the ledger', () => {
  const key: EntryKey = { kind: 'not-before', subject: 'bob' };
  let world: World;
  let ledger: Ledger;
  beforeEach(async () => {
    world = new World();
    ledger = new Ledger(world.store(0), () => {});
    for (const shard of [0, SHARD]) expect(ledger.isBehind(ledger.snapshot(shard), birth(3))).to.equal(false);
    await ledger.acknowledge(ledger.snapshot(SHARD), key, { current: '1 5 not-before' }, 1e15);
  });

  it('vouches for the server that it was begun for, and not for one that came meanwhile', async () => {
    world.incarnation++;
    const round = ledger.reconcile(SHARD);
    world.incarnation++;
    await run(world, round);
    expect(ledger.isBehind(ledger.snapshot(SHARD), birth(3))).to.equal(true);
    await run(world, ledger.reconcile(SHARD));
    expect(ledger.isBehind(ledger.snapshot(SHARD), birth(3))).to.equal(false);
  });

  it('looks at all shards of the server of which one has gone back', async () => {
    expect(world.get(key)).to.equal(undefined);
    await run(world, ledger.reconcile(0));
    expect(world.get(key)).to.equal('1 5 not-before');
  });
});
