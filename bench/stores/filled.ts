// The stores of the bench: real ones, filled once for each size, and used by one scenario after the other.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { RedisServer } from '../../test/support/redis-server.js';
import type { Cleanup } from '../machine/cleanup.js';
import { fillFolder } from './lmdb-fill.js';
import { fillRedis } from './redis-fill.js';
import type { Filling, Session } from './sessions.js';

export type StoreKind = 'redis' | 'lmdb';

export interface FilledStore {
  /** The settings with which the service uses it. */
  readonly env: Readonly<Record<string, string>>;
  /** Sessions in it, that no scenario changes. */
  readonly sample: readonly Session[];
  /** The process that the store is, if it is one. */
  readonly pid: number | undefined;
  /** Where it listens, if it does. */
  readonly port: number | undefined;
  /** What its entries take: of Redis' memory, or of the disk. */
  readonly bytes: number;
}

/** As docs/deployment.md advises, but for rewrites of the file, which would fall into some runs alone. */
export const REDIS_ARGS = [
  ...['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
  ...['--auto-aof-rewrite-percentage', '0'],
];

export async function startRedis(filling: Filling, cleanup: Cleanup): Promise<FilledStore> {
  // While it is filled nothing hangs on the disk.
  const server = await RedisServer.start(...REDIS_ARGS, '--appendfsync', 'no');
  cleanup.add(() => server.stop());
  const emptyBytes = await usedBytes(server);
  const sample = await fillRedis(server.port, filling);
  const bytes = (await usedBytes(server)) - emptyBytes;
  await server.raw.config('SET', 'appendfsync', 'always');
  return { env: { REDIS_URL: server.url }, sample, pid: server.pid, port: server.port, bytes };
}

const usedBytes = async ({ raw }: RedisServer): Promise<number> =>
  Number(/used_memory:(\d+)/.exec(await raw.info('memory'))?.[1] ?? Number.NaN);

export async function makeFolder(filling: Filling, parent: string): Promise<FilledStore> {
  const dataDir = join(parent, `data-${filling.sessions}`);
  const sample = await fillFolder(dataDir, filling);
  const { size: bytes } = statSync(join(dataDir, 'store', 'data.mdb'));
  return { env: { DATA_DIR: dataDir }, sample, pid: undefined, port: undefined, bytes };
}
