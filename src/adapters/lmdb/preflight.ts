// The checks before the database is opened. lmdb 3.5 does not report a file that it cannot open: it frees a part of
// itself twice, and the process dies of it. So whatever is likely to be wrong is found here, where it can be told.

import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** In each of the two pages at the file's start, which lie one page size apart. */
const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET = 24;
const PAGE_SIZE_OFFSET = 48;
/** More than a new database needs, with its lock file. */
const ROOM_BYTES = 64 * 1_024;

/** A full disk, a quota that is used up, a bound on the size of files. */
const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/**
 * @param path the folder of the database, which is there
 * @returns the error of a write if there is no room, and the database that is there can be opened all the same
 * @throws Error that says what is wrong
 */
export function preflight(path: string): Error | undefined {
  checkFiles(path);
  const probe = join(path, 'probe');
  try {
    writeFileSync(probe, Buffer.alloc(ROOM_BYTES));
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && NO_ROOM.includes(error.code) && needsNoRoom(path)) return error;
    throw error;
  } finally {
    rmSync(probe, { force: true });
  }
}

/** The checks that change nothing. @throws Error that says what is wrong */
export function checkFiles(path: string): void {
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  withFile(join(path, 'lock.mdb'), () => {});
  withFile(join(path, 'data.mdb'), (file) => {
    if (fstatSync(file).size > 0 && !isDatabase(file)) throw new Error(`${join(path, 'data.mdb')} is no LMDB database`);
  });
}

/** Whether the disk has room for a start, as far as the system says. */
export function hasRoom(path: string): boolean {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize >= ROOM_BYTES;
}

/** Whether both files are there, with room on the disk. The driver maps the lock file: a page without room ends the process. */
function needsNoRoom(path: string): boolean {
  const [data, lock] = ['data.mdb', 'lock.mdb'].map((name) => statSync(join(path, name), { throwIfNoEntry: false }));
  return (data?.blocks ?? 0) > 0 && (lock?.blocks ?? 0) > 0;
}

/** Opens a file for reading and writing, as the database does, unless there is none yet. */
function withFile(path: string, check: (file: number) => void): void {
  let file: number;
  try {
    file = openSync(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    check(file);
  } finally {
    closeSync(file);
  }
}

function isDatabase(file: number): boolean {
  // Written in the machine's own order of bytes.
  const word = (offset: number): number => {
    const bytes = new Uint32Array(1);
    return readSync(file, bytes, 0, 4, offset) === 4 ? (bytes[0] ?? 0) : 0;
  };
  return word(MAGIC_OFFSET) === MAGIC && word(word(PAGE_SIZE_OFFSET) + MAGIC_OFFSET) === MAGIC;
}
