// What a sweep of the embedded store costs: one that finds nothing, and one that removes a tenth.

import { openDatabase } from '../../src/adapters/lmdb/database.js';
import { Sweeper } from '../../src/adapters/lmdb/sweeper.js';

/** Of the whole store. */
export const EXPIRED = 0.1;
const NEVER_MS = 2 ** 31 - 1;

export interface Sweep {
  readonly tookMs: number;
  /** Processor time of the process that sweeps, ms. */
  readonly cpuMs: number;
  readonly removed: number;
}

export interface Swept {
  readonly removing: Sweep;
  readonly idle: Sweep;
}

async function timed(sweeper: Sweeper): Promise<Sweep> {
  const startMs = performance.now();
  const before = process.cpuUsage();
  const removed = await sweeper.sweep();
  const { user, system } = process.cpuUsage(before);
  return { tookMs: performance.now() - startMs, cpuMs: (user + system) / 1000, removed };
}

/** @param dataDir a tenth of its entries have expired; no other process has it open */
export async function sweep(dataDir: string): Promise<Swept> {
  const database = openDatabase(dataDir);
  const log = { info: () => {}, error: () => {} };
  const sweeper = new Sweeper(database, { now: Date.now, monotonicMs: () => performance.now() }, NEVER_MS, log);
  try {
    const removing = await timed(sweeper);
    return { removing, idle: await timed(sweeper) };
  } finally {
    await sweeper.stop();
    await database.close();
  }
}
