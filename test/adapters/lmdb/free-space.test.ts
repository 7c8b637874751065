// Tests that what was removed makes no write dearer, and that its room is used again.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { median } from '../../../bench/figures.js';
import { committed, type Database, openDatabase } from '../../../src/adapters/lmdb/database.js';
import { ownCpuMs } from '../../support/processor-time.js';
import { LmdbWorld } from './lmdb-world.js';

/** Each leaves a page of its own between two that are in use. */
const HOLES = 10_000;
/** Larger than what a page shares with others. */
const LARGE = 'x'.repeat(3_000);

describe('the room that removed entries leave', () => {
  let world: LmdbWorld;
  let database: Database;
  beforeEach(async () => {
    world = await LmdbWorld.create();
    database = openDatabase(world.dataDir);
  });
  afterEach(async () => {
    await database.close();
    await world.dispose();
  });

  const commit = (work: () => void): Promise<void> => committed(database.transaction(work));
  const makeHoles = async (): Promise<void> => {
    const names = Array.from({ length: 2 * HOLES }, (_, i) => `s:${i}`);
    await commit(() => {
      for (const name of names) database.put(name, LARGE);
    });
    await commit(() => {
      for (const name of names.filter((_, i) => i % 2 === 0)) database.remove(name);
    });
  };
  /** Processor time of one, in the middle of many, ms. */
  const costOfCommits = async (): Promise<number> => {
    const costs: number[] = [];
    for (let i = 0; i < 30; i++) {
      const beforeMs = ownCpuMs();
      await commit(() => void database.put('u:ann', `${i}`));
      costs.push(ownCpuMs() - beforeMs);
    }
    return median(costs);
  };

  it('makes no write dearer, however much it is', async () => {
    const before = await costOfCommits();
    await makeHoles();
    expect(await costOfCommits()).to.be.below(10 * before);
  });

  it('is used before the file grows', async () => {
    await makeHoles();
    await costOfCommits();
    const bytes = () => statSync(join(world.dataDir, 'store', 'data.mdb')).size;
    const before = bytes();
    for (let i = 0; i < HOLES / 2; i += 50) {
      await commit(() => {
        for (let j = i; j < i + 50; j++) database.put(`u:${j}`, LARGE);
      });
    }
    expect(bytes()).to.equal(before);
  });
});
