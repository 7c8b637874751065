// The database file: where it lies, which permissions it has, and how it is opened.

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
 * Pages. Each commit checks all free pages that the process has loaded, in time that grows with the square of their
 * number: of the 40,000 that many removals leave, which are within the driver's own bounds, a fifth of a second of the
 * processor. Those that are not loaded are not lost: their turn comes when the others have been used. The package's
 * types do not know of these options.
 */
const FREE_PAGES = { maxFreeSpaceToLoad: 1_000, maxFreeSpaceToRetain: 2_000 };

/**
 * Opens the database in a data folder, and makes both if need be.
 * @param noRoom gets the error if the disk is full, and the database can only be read
 * @throws DataDirUnusable
 */
export function openDatabase(dataDir: string, noRoom: (error: Error) => void = () => {}): Database {
  makeDataDir(dataDir);
  try {
    // A folder of its own: one that was there before may be others' to read, such as the root of a mounted volume.
    const path = join(dataDir, 'store');
    makeFolder(path);
    chmodSync(path, 0o700);
    const full = preflight(path);
    if (full) noRoom(full);
    return open<string, string>({
      path,
      noSubdir: false,
      encoding: 'string',
      // A commit flushes the data and then writes the page that makes it visible, through a file that is synchronous.
      // So whatever can be read, here or in another process, is on the disk, and an answer from a read alone needs no
      // flush of its own. lmdb's default turns that round: visible first, flushed later.
      overlappingSync: false,
      // With it, a failed commit rejects a promise that nobody is handed, and that ends the process.
      eventTurnBatching: false,
      ...FREE_PAGES,
    });
  } catch (error) {
    throw new DataDirUnusable(dataDir, error);
  }
}

/** Opens a database that is there, to read alone; a service may be running on it. */
export const openReadOnly = (path: string): Database =>
  open<string, string>({ path, noSubdir: false, encoding: 'string', readOnly: true });

/**
 * Waits for a write to be on the disk. The driver tells the cause of a failed commit by a promise beside the error;
 * nobody else takes that one, and untaken it would end the process.
 */
export async function committed<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const { commitError } = error as { commitError?: Promise<unknown> };
    throw (await Promise.resolve(commitError).catch((cause: unknown) => cause)) ?? error;
  }
}
