// Tests that expired entries go, and that a clock that is wrong for a while makes none go that still matters.

import { expect } from 'chai';
import { committed, type Database, openDatabase } from '../../../src/adapters/lmdb/database.js';
import { encode } from '../../../src/adapters/lmdb/record.js';
import { Sweeper } from '../../../src/adapters/lmdb/sweeper.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { until } from '../../support/waiting.js';
import { LmdbWorld } from './lmdb-world.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NEVER_MS = 2_000_000_000;
const cutOff = (subject: string): StoreKey => ({ kind: 'not-before', subject });

describe('the sweep of an embedded store', () => {
  let world: LmdbWorld;
  let database: Database;
  let sweepers: Sweeper[];
  beforeEach(async () => {
    world = await LmdbWorld.create();
    database = openDatabase(world.dataDir);
    sweepers = [];
  });
  afterEach(async () => {
    for (const sweeper of sweepers) await sweeper.stop();
    await database.close();
    await world.dispose();
  });

  const start = (everyMs = NEVER_MS): Sweeper => {
    const clocks = { now: () => world.wallMs, monotonicMs: () => world.steadyMs };
    const sweeper = new Sweeper(database, clocks, everyMs, world.log);
    sweepers.push(sweeper);
    return sweeper;
  };
  const restart = async (old: Sweeper): Promise<Sweeper> => {
    sweepers = sweepers.filter((sweeper) => sweeper !== old);
    await old.stop();
    world.steadyMs = 0;
    return start();
  };
  const write = async (store: ReturnType<LmdbWorld['open']>, subjects: readonly string[], lifetimeMs?: number) => {
    const draft = { value: 'a', atLeastMs: 0 };
    await Promise.all(
      subjects.map((subject) =>
        store.compareAndSet(cutOff(subject), undefined, { ...draft, lifetimeMs, notAfterMs: store.now() + HOUR_MS }),
      ),
    );
  };
  const entries = (): number => {
    database.resetReadTxn();
    return [...database.getKeys()].filter((key) => key !== 'horizon').length;
  };

  it('removes what has expired, in as many steps as it takes, and nothing else', async () => {
    const store = world.open();
    const sweeper = start();
    await write(
      store,
      Array.from({ length: 1_700 }, (_, i) => `short ${i}`),
      HOUR_MS,
    );
    await write(store, ['long'], DAY_MS);
    await write(store, ['forever'], undefined);
    await store.compareAndSet({ kind: 'birth', shard: 0 }, undefined, {
      value: 'a',
      atLeastMs: 0,
      lifetimeMs: undefined,
      notAfterMs: store.now(),
    });
    expect(await sweeper.sweep()).to.equal(0);
    world.pass(HOUR_MS + 1);
    expect(await sweeper.sweep()).to.equal(1_700);
    expect(entries()).to.equal(3);
    world.pass(DAY_MS);
    expect(await sweeper.sweep()).to.equal(1);
    const keys: StoreKey[] = [cutOff('forever'), { kind: 'birth', shard: 0 }];
    for (const text of await store.read(keys)) expect(text).to.be.a('string');
  });

  it('removes what lies far apart in few steps', async () => {
    const sweeper = start();
    await committed(
      database.transaction(() => {
        for (let i = 0; i < 6_000; i++) {
          const endsAtMs = world.wallMs + (i % 60 === 0 ? HOUR_MS : DAY_MS);
          database.put(`s:${i}`, encode({ text: 'a', endsAtMs }));
        }
      }),
    );
    world.pass(HOUR_MS + 1);
    const commits = (): number => (database.getStats() as { lastTxnId: number }).lastTxnId;
    const before = commits();
    expect(await sweeper.sweep()).to.equal(100);
    database.resetReadTxn();
    // The horizon is written, too.
    expect(commits() - before).to.equal(2);
  });

  it('pauses after each step, so that a large store does not take all turns of the process', async () => {
    const sweeper = start();
    await committed(
      database.transaction(() => {
        for (let i = 0; i < 10_000; i++) database.put(`s:${i}`, encode({ text: 'a', endsAtMs: undefined }));
      }),
    );
    const startMs = performance.now();
    await sweeper.sweep();
    // Twenty pauses; timers may be a little early.
    expect(performance.now() - startMs).to.be.above(20 * 4);
  });

  it('runs by itself', async () => {
    const store = world.open();
    await write(store, ['ann'], HOUR_MS);
    start(10);
    world.pass(HOUR_MS + 1);
    // The line comes a little later than the removal.
    await until(() => world.log.of('info').length > 0);
    expect(entries()).to.equal(0);
    expect(world.log.of('info')).to.have.length(1);
  });

  it('leaves an entry that was written anew', async () => {
    const store = world.open();
    const sweeper = start();
    await write(store, ['ann'], HOUR_MS);
    world.pass(HOUR_MS + 1);
    await write(store, ['ann'], HOUR_MS);
    expect(await sweeper.sweep()).to.equal(0);
    expect((await store.read([cutOff('ann')]))[0]).to.be.a('string');
  });

  it('leaves an entry that is written anew between the look at it and its removal', async () => {
    const store = world.open();
    const sweeper = start();
    await write(store, ['ann'], HOUR_MS);
    world.pass(HOUR_MS + 1);
    const transaction = database.transaction.bind(database);
    database.transaction = async <T>(step: () => T): Promise<T> => {
      await write(store, ['ann'], HOUR_MS);
      return transaction(step);
    };
    expect(await sweeper.sweep()).to.equal(0);
    expect((await store.read([cutOff('ann')]))[0]).to.be.a('string');
  });

  it('leaves what it cannot read', async () => {
    const sweeper = start();
    await database.put('u:0', 'rubbish');
    await database.put('other', '1 x');
    world.pass(DAY_MS);
    expect(await sweeper.sweep()).to.equal(0);
    expect(entries()).to.equal(2);
  });

  it('removes nothing by a clock that jumped ahead, for a day, and all is there when it is set right', async () => {
    const store = world.open();
    const sweeper = start();
    await write(store, ['ann'], 2 * DAY_MS + HOUR_MS);
    world.wallMs += 3_650 * DAY_MS;
    expect(await sweeper.sweep()).to.equal(0);
    expect(await store.read([cutOff('ann')])).to.deep.equal([undefined]);
    for (let hour = 0; hour < 24; hour++) {
      world.pass(HOUR_MS);
      expect(await sweeper.sweep()).to.equal(0);
    }
    world.wallMs -= 3_650 * DAY_MS;
    world.pass(DAY_MS - 1);
    expect(await sweeper.sweep()).to.equal(0);
    expect((await store.read([cutOff('ann')]))[0]).to.be.a('string');
    world.pass(HOUR_MS + 1);
    expect(await sweeper.sweep()).to.equal(1);
  });

  it('removes nothing at a start with a clock that is ahead, however often it starts', async () => {
    const store = world.open();
    let sweeper = start();
    await write(store, ['ann'], DAY_MS);
    world.wallMs += 3_650 * DAY_MS;
    for (let i = 0; i < 10; i++) {
      sweeper = await restart(sweeper);
      world.pass(HOUR_MS);
      expect(await sweeper.sweep()).to.equal(0);
    }
    world.wallMs -= 3_650 * DAY_MS;
    expect((await store.read([cutOff('ann')]))[0]).to.be.a('string');
  });

  it('begins at the clock where that was set back before the start: what two wrong clocks cost does not add up', async () => {
    const store = world.open();
    let sweeper = start();
    await write(store, ['ann'], 2 * DAY_MS - HOUR_MS / 2);
    for (let day = 0; day < 2; day++) {
      world.wallMs += 3_650 * DAY_MS;
      world.pass(DAY_MS - HOUR_MS);
      expect(await sweeper.sweep()).to.equal(0);
      await sweeper.stop();
      world.wallMs -= 3_650 * DAY_MS;
      sweeper = start();
    }
    expect((await store.read([cutOff('ann')]))[0]).to.be.a('string');
  });

  it('catches up after a pause in which nothing ran', async () => {
    const store = world.open();
    let sweeper = start();
    await write(store, ['ann'], HOUR_MS);
    sweeper = await restart(sweeper);
    world.wallMs += 2 * HOUR_MS;
    expect(await sweeper.sweep()).to.equal(0);
    world.pass(HOUR_MS);
    expect(await sweeper.sweep()).to.equal(1);
    expect(Number(database.get('horizon'))).to.be.below(world.wallMs);
    world.pass(2 * DAY_MS);
    await sweeper.sweep();
    expect(Number(database.get('horizon'))).to.equal(world.wallMs);
  });

  it('follows a clock that is set back', async () => {
    const store = world.open();
    const sweeper = start();
    await write(store, ['ann'], HOUR_MS);
    world.wallMs -= DAY_MS;
    world.pass(2 * HOUR_MS);
    expect(await sweeper.sweep()).to.equal(0);
    world.pass(DAY_MS);
    expect(await sweeper.sweep()).to.equal(1);
  });
});
