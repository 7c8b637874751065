// A data folder on a disk that fills up and has space again: a small tmpfs if possible, else a file size limit.

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Room for the database to begin with, and for some hundred writes. */
const DISK_BYTES = 2 * 1024 * 1024;
const BLOCK_BYTES = 4_096;

export interface SmallDisk {
  /** How it was made, for people. */
  readonly way: string;
  readonly folder: string;
  /** Whether `fill` holds for a process that is yet to start. */
  readonly canBeFullAtStart: boolean;
  /** @param pid the process whose writes must fail from now on */
  fill(pid: number): void;
  makeRoom(pid: number): void;
  dispose(): Promise<void>;
}

/**
 * @param mayMount false: take the second way
 * @throws Error if there is neither way on this machine
 */
export async function smallDisk(mayMount = true): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-disk-'));
  const size = `size=${DISK_BYTES}`;
  if (mayMount && spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder]).status === 0) return mounted(folder);
  if (spawnSync('prlimit', ['--version']).status === 0) return bounded(folder);
  await rm(folder, { recursive: true });
  throw new Error('a full disk cannot be made here: neither `mount` (as root) nor `prlimit` (util-linux) works');
}

function mounted(folder: string): SmallDisk {
  const ballast = join(folder, 'ballast');
  return {
    way: 'a tmpfs of 2 MiB, filled to its last byte',
    folder,
    canBeFullAtStart: true,
    fill: () => fillWith(ballast),
    makeRoom: () => rmSync(ballast),
    dispose: async () => {
      execFileSync('umount', ['--lazy', folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function fillWith(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(BLOCK_BYTES));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

/** Sets the soft limit alone, which needs no privilege to raise again: a write past it fails as on a full disk. */
function bounded(folder: string): SmallDisk {
  const limit = (pid: number, bytes: string): unknown =>
    execFileSync('prlimit', ['--pid', `${pid}`, `--fsize=${bytes}:`]);
  return {
    way: "a bound on the size of the process's files (RLIMIT_FSIZE)",
    folder,
    canBeFullAtStart: false,
    // As long as the database is now: it can grow no further.
    fill: (pid) => void limit(pid, `${statSync(join(folder, 'store', 'data.mdb')).size}`),
    makeRoom: (pid) => void limit(pid, 'unlimited'),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}
