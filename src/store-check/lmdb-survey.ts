// The checks of a data folder for `store check`. They change nothing.

import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { openReadOnly } from '../adapters/lmdb/database.js';
import { checkFiles } from '../adapters/lmdb/preflight.js';
import { canExpire, keyName, liveRecord } from '../adapters/lmdb/record.js';
import { parseBirth } from '../core/session/entries.js';
import type { CheckResult } from './check-result.js';

/** Below this, later writes may fail. Bytes. */
const LITTLE_ROOM = 64 * 1024 * 1024;
const MIB = 1024 * 1024;

/** The results for a data folder. A service that uses it is not disturbed. */
export async function surveyFolder(dataDir: string): Promise<readonly CheckResult[]> {
  const path = join(dataDir, 'store');
  if (!existsSync(join(path, 'data.mdb'))) {
    const message = `There is no store in ${dataDir} yet: the service will create one, and will deny all earlier sessions`;
    return [{ severity: 'good', message }];
  }
  try {
    checkFiles(path);
    return [...roomAt(path), await content(path)];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = 'run this as the user of the service; if the store is corrupt, move it away: that ends all sessions';
    return [{ severity: 'unsafe', message: `The store in ${dataDir} cannot be opened: ${reason}`, remedy }];
  }
}

function roomAt(path: string): CheckResult[] {
  const { bavail, bsize } = statfsSync(path);
  if (bavail * bsize >= LITTLE_ROOM) return [];
  const message = `Its disk has ${Math.floor((bavail * bsize) / MIB)} MiB left: when it is full, logouts and refreshes fail`;
  return [{ severity: 'warning', message, remedy: 'free disk space' }];
}

async function content(path: string): Promise<CheckResult> {
  const database = openReadOnly(path);
  try {
    const birth = parseBirth(liveRecord(database.get(keyName({ kind: 'birth', shard: 0 })), 0)?.text);
    const entries = [...database.getKeys()].filter(canExpire).length;
    const since = birth
      ? `accepts sessions that started after ${new Date(birth.atMs).toISOString()}`
      : 'has no birth record yet';
    return {
      severity: 'good',
      message: `It ${since}, and has ${entries} entries; each write is on the disk before it is acknowledged`,
    };
  } finally {
    await database.close();
  }
}
