// The LMDB database: its folder, its permissions, and the options with which it is opened.

import { chmodSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { makeFolder } from '../../platform/make-folder.js';
import { DataDirUnusable, makeDataDir } from './data-dir.js';
import { preflight } from './preflight.js';

// The package's types for `import` do not compile (TS1203: they use `export =`); those for `require` do.
type Lmdb = typeof import('lmdb', { with: { 'resolution-mode': 'require' }});
const { open } = createRequire(import.meta.url)('lmdb') as Lmdb;

export type Database = ReturnType<typeof open<string, string>>;

/**
 * Pages. Each commit checks all free pages that the process has loaded, in time quadratic in their number: a fifth of a
 * second for the 40,000 that many removals leave and that the driver's defaults allow. Free pages that are not loaded
 * are used later. The package's types do not have these options.
 */
const FREE_PAGES = { maxFreeSpaceToLoad: 1_000, maxFreeSpaceToRetain: 2_000 };

/**
 * Opens the database in a data folder, and creates both if needed.
 * @param noRoom called with the error if the disk is full, so that the database can only be read
 * @throws DataDirUnusable
 */
export function openDatabase(dataDir: string, noRoom: (error: Error) => void = () => {}): Database {
  makeDataDir(dataDir);
  try {
    // A subfolder: an existing data folder may be readable by others, such as the root of a mounted volume.
    const path = join(dataDir, 'store');
    makeFolder(path);
    chmodSync(path, 0o700);
    const full = preflight(path);
    if (full) noRoom(full);
    return open<string, string>({
      path,
      noSubdir: false,
      encoding: 'string',
      // A commit flushes the data and then writes, synchronously, the page that makes it visible. So all that can be
      // read, in this or another process, is on the disk, and a response that depends on a read needs no flush. lmdb's
      // default is the reverse: visible first, flushed later.
      overlappingSync: false,
      // With it, a failed commit rejects a promise that no caller gets, and the unhandled rejection ends the process.
      eventTurnBatching: false,
      ...FREE_PAGES,
    });
  } catch (error) {
    throw new DataDirUnusable(dataDir, error);
  }
}

/** Opens an existing database read-only. A service may be using it. */
export const openReadOnly = (path: string): Database =>
  open<string, string>({ path, noSubdir: false, encoding: 'string', readOnly: true });

/**
 * Waits until a write is on the disk. On a failed commit the error has a second promise with the cause. It must be
 * handled here, because an unhandled rejection ends the process.
 */
export async function committed<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const { commitError } = error as { commitError?: Promise<unknown> };
    throw (await Promise.resolve(commitError).catch((cause: unknown) => cause)) ?? error;
  }
}
