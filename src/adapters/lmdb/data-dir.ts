// The data folder of the embedded store: how it is made, and the error where that cannot be. Loads no driver.

import { makeFolder } from '../../platform/make-folder.js';

/** Errors of the system about the folder itself, and not about a file in it. */
const OF_FOLDER: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST', 'ELOOP']);
const REMEDY = 'set DATA_DIR to a folder that this user may make and write to';

/** The data folder cannot be used. */
export class DataDirUnusable extends Error {
  readonly code = 'DATA_DIR_UNUSABLE';
  override readonly name = 'DataDirUnusable';

  /** @param dataDir as it was configured */
  constructor(dataDir: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { code } = cause as { code?: unknown };
    const remedy = typeof code === 'string' && OF_FOLDER.has(code) ? `; ${REMEDY}` : '';
    super(`the data folder ${dataDir} cannot be used: ${reason}${remedy}`, { cause });
  }
}

/** Makes the data folder, for its owner alone, unless it is there. @throws DataDirUnusable */
export function makeDataDir(dataDir: string): void {
  try {
    makeFolder(dataDir, 0o700);
  } catch (error) {
    throw new DataDirUnusable(dataDir, error);
  }
}
