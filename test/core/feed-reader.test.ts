// Tests of the reader of the logs: how much of them it holds while it reads.

import { expect } from 'chai';
import { MARGIN_MS, MAX_ENTRIES, PAGE_ENTRIES } from '../../src/core/feed/limits.js';
import type { LogPage } from '../../src/core/feed/log-entry.js';
import { MINUTE, node, run, World } from '../support/world.js';

/** Of each of the two shards: together they hold 4,000 entries more than a node keeps. */
const PAGES = MAX_ENTRIES / PAGE_ENTRIES / 2 + 2;

describe('the reader of the logs', () => {
  it('holds no more than its bound while it reads longer logs, and drops the oldest entries of all shards', async () => {
    const world = new World();
    const core = node(world.store(0));
    await run(world, core.births.write());
    const { reader, bareStore } = core;
    for (const shard of [0, 1]) await run(world, bareStore.beginLog(shard));
    const atMs = (page: number): number => world.nowMs - MINUTE + page;
    const pageOf = (shard: number, before: number): LogPage => ({
      entries: Array.from({ length: before < PAGES ? PAGE_ENTRIES : 0 }, (_, n) => ({
        what: `s${`${(shard * PAGES + before) * PAGE_ENTRIES + n}`.padStart(32, '0')}`,
        ...{ notBeforeMs: 0, atMs: atMs(before), wholeSinceMs: 1 },
      })),
      ...{ cursor: `${Math.min(before + 1, PAGES)}`, exists: true, birthText: world.get({ kind: 'birth', shard }) },
    });
    const sizes: number[] = [];
    bareStore.readLogs = async (cursors) => {
      sizes.push(reader.window.size);
      return cursors.map((cursor, shard) => pageOf(shard, Number(cursor ?? 0)));
    };
    const { uncovered } = await reader.round();
    expect([...uncovered]).to.deep.equal([]);
    expect(sizes).to.deep.equal(
      Array.from({ length: PAGES + 1 }, (_, n) => Math.min(2 * n * PAGE_ENTRIES, MAX_ENTRIES)),
    );
    // Two pages of each shard are gone.
    for (const shard of [0, 1]) expect(reader.states.get(shard)?.completeSinceMs).to.equal(atMs(1) + MARGIN_MS);
  });
});
