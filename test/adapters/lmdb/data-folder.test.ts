// Tests of where the embedded store keeps its data, who may read it, and what is made of data it cannot use.

import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { DataDirUnusable } from '../../../src/adapters/lmdb/data-dir.js';
import { openDatabase } from '../../../src/adapters/lmdb/database.js';
import { keyName } from '../../../src/adapters/lmdb/record.js';
import { StoreUnavailable } from '../../../src/core/errors.js';
import type { StoreKey } from '../../../src/core/session/store-keys.js';
import { LmdbWorld } from './lmdb-world.js';

const HOUR_MS = 3_600_000;
const cutOff = (subject: string): StoreKey => ({ kind: 'not-before', subject });
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('a data folder', () => {
  let world: LmdbWorld;
  beforeEach(async () => {
    world = await LmdbWorld.create();
  });
  afterEach(() => world.dispose());

  it('is made, for its owner alone', async () => {
    const dataDir = join(world.dataDir, 'new', 'folder');
    world.open({ dataDir });
    expect(await modeOf(dataDir)).to.equal('700');
    expect(await modeOf(join(dataDir, 'store'))).to.equal('700');
  });

  it('that others may read keeps the entries from them', async () => {
    const dataDir = join(world.dataDir, '.latchkey');
    await mkdir(join(dataDir, 'store'), { recursive: true, mode: 0o755 });
    world.open({ dataDir });
    expect(await modeOf(join(dataDir, 'store'))).to.equal('700');
  });

  it('keeps its entries', async () => {
    const first = world.open();
    const draft = { value: 'a', atLeastMs: 0 };
    const { current } = await first.compareAndSet(cutOff('ann'), undefined, {
      ...draft,
      lifetimeMs: HOUR_MS,
      notAfterMs: first.now(),
    });
    await first.close();
    expect(await world.open().read([cutOff('ann')])).to.deep.equal([current]);
  });

  it('that cannot be made is refused with one clear error, and not tried for ever', () => {
    // The system reports the folder above as missing, although it is there.
    for (const dataDir of ['/proc/latchkey', '/proc/latchkey/data']) {
      expect(() => world.open({ dataDir })).to.throw(
        DataDirUnusable,
        `the data folder ${dataDir} cannot be used: ENOENT: no such file or directory, mkdir '/proc/latchkey'; set DATA_DIR`,
      );
    }
  });

  it('that is a file is refused with one clear error', async () => {
    const dataDir = join(world.dataDir, 'file');
    await writeFile(dataDir, '');
    expect(() => world.open({ dataDir })).to.throw(DataDirUnusable, `the data folder ${dataDir} cannot be used: E`);
  });

  it('with a database that is none is refused with one clear error', async () => {
    await mkdir(join(world.dataDir, 'store'));
    await writeFile(join(world.dataDir, 'store', 'data.mdb'), 'rubbish'.repeat(10_000));
    expect(() => world.open()).to.throw(DataDirUnusable, `the data folder ${world.dataDir} cannot be used: `);
  });

  it('with an entry that cannot be read is "cannot tell" for those who ask for it', async () => {
    const store = world.open();
    const database = openDatabase(world.dataDir);
    await database.put(keyName(cutOff('bad')), 'rubbish');
    const draft = { value: 'a', atLeastMs: 0 };
    for (const work of [
      store.read([cutOff('good'), cutOff('bad')]),
      store.compareAndSet(cutOff('bad'), undefined, { ...draft, lifetimeMs: HOUR_MS, notAfterMs: store.now() }),
    ]) {
      expect(await work.catch((reason: unknown) => reason)).to.be.instanceOf(StoreUnavailable);
    }
    expect(await store.read([cutOff('good')])).to.deep.equal([undefined]);
    expect(database.get(keyName(cutOff('bad')))).to.equal('rubbish');
    await database.close();
  });

  it('is closed after the writes that are under way', async () => {
    const store = world.open();
    const draft = { value: 'a', atLeastMs: 0 };
    const swaps = ['ann', 'bob'].map((subject) =>
      store.compareAndSet(cutOff(subject), undefined, { ...draft, lifetimeMs: HOUR_MS, notAfterMs: store.now() }),
    );
    await store.close();
    const written = (await Promise.all(swaps)).map(({ current }) => current);
    expect(await world.open().read([cutOff('ann'), cutOff('bob')])).to.deep.equal(written);
  });
});
