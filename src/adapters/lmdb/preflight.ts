// Checks before the database is opened.
// If lmdb 3.5 cannot open a file, it frees memory twice, and the process crashes without a message. So these checks
// find the likely problems first, and report them.

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

/** LMDB's magic number, in each of the two pages at the start of the file. */
const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET = 24;
const PAGE_SIZE_OFFSET = 48;
/** More than a new database and its lock file need. */
const ROOM_BYTES = 64 * 1_024;

/** The error codes of a full disk, an exhausted quota, and a limit on file sizes. */
const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/**
 * @param path the existing folder of the database
 * @returns the error of a write if there is no room, but an existing database can be opened
 * @throws Error that names the problem
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

/** The checks that change nothing. @throws Error that names the problem */
export function checkFiles(path: string): void {
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  withFile(join(path, 'lock.mdb'), () => {});
  withFile(join(path, 'data.mdb'), (file) => {
    if (fstatSync(file).size > 0 && !isDatabase(file))
      throw new Error(`${join(path, 'data.mdb')} is not an LMDB database`);
  });
}

/** Whether the file system reports enough room for a start. */
export function hasRoom(path: string): boolean {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize >= ROOM_BYTES;
}

/**
 * Whether both files exist with allocated blocks. The driver maps the lock file: an unallocated page ends the process.
 */
function needsNoRoom(path: string): boolean {
  const [data, lock] = ['data.mdb', 'lock.mdb'].map((name) => statSync(join(path, name), { throwIfNoEntry: false }));
  return (data?.blocks ?? 0) > 0 && (lock?.blocks ?? 0) > 0;
}

/** Opens a file for reading and writing, as the database does, unless it does not exist. */
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
  // In the byte order of the machine.
  const word = (offset: number): number => {
    const bytes = new Uint32Array(1);
    return readSync(file, bytes, 0, 4, offset) === 4 ? (bytes[0] ?? 0) : 0;
  };
  return word(MAGIC_OFFSET) === MAGIC && word(word(PAGE_SIZE_OFFSET) + MAGIC_OFFSET) === MAGIC;
}
