// Owns the survey of a data folder for `store check`: what stands there, looked at without changing it.

import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { parseBirth } from '../../core/entries.js';
import type { Finding } from '../../core/finding.js';
import { openReadOnly } from './database.js';
import { checkFiles } from './preflight.js';
import { canExpire, keyName, liveRecord } from './record.js';

/** Below this, the next writes may find no room. Bytes. */
const LITTLE_ROOM = 64 * 1024 * 1024;
const MIB = 1024 * 1024;

/** What there is to say of a data folder. A service that runs there is not disturbed. */
export async function surveyFolder(dataDir: string): Promise<readonly Finding[]> {
  const path = join(dataDir, 'store');
  if (!existsSync(join(path, 'data.mdb'))) {
    const says = `There is no store in ${dataDir} yet: the service makes one, and denies all sessions of before`;
    return [{ weight: 'good', says }];
  }
  try {
    checkFiles(path);
    return [...roomAt(path), await content(path)];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const mend = 'run as the user that the service runs as; a broken store is moved away, and all sessions are over';
    return [{ weight: 'unsafe', says: `The store in ${dataDir} cannot be opened: ${reason}`, mend }];
  }
}

function roomAt(path: string): Finding[] {
  const { bavail, bsize } = statfsSync(path);
  if (bavail * bsize >= LITTLE_ROOM) return [];
  const says = `Its disk has ${Math.floor((bavail * bsize) / MIB)} MiB left: full, it takes no logout and no refresh`;
  return [{ weight: 'warning', says, mend: 'make room' }];
}

async function content(path: string): Promise<Finding> {
  const database = openReadOnly(path);
  try {
    const birth = parseBirth(liveRecord(database.get(keyName({ kind: 'birth', shard: 0 })), 0)?.text);
    const entries = [...database.getKeys()].filter(canExpire).length;
    const since = birth
      ? `vouches for sessions that started after ${new Date(birth.atMs).toISOString()}`
      : 'has no birth yet';
    return {
      weight: 'good',
      says: `It ${since}, and has ${entries} entries; each write is on the disk before its answer`,
    };
  } finally {
    await database.close();
  }
}
