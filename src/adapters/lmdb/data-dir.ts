// The data folder of the embedded store: its creation, and the error if that fails. Loads no driver.

import { makeFolder } from '../../platform/make-folder.js';

/** System errors about the folder itself, and not about a file in it. */
const OF_FOLDER: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST', 'ELOOP']);
const REMEDY = 'set DATA_DIR to a folder that this user can create and write';

/** The data folder cannot be used. */
export class DataDirUnusable extends Error {
  readonly code = 'DATA_DIR_UNUSABLE';
  override readonly name = 'DataDirUnusable';

  /** @param dataDir as configured */
  constructor(dataDir: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { code } = cause as { code?: unknown };
    const remedy = typeof code === 'string' && OF_FOLDER.has(code) ? `; ${REMEDY}` : '';
    super(`the data folder ${dataDir} cannot be used: ${reason}${remedy}`, { cause });
  }
}

/** Creates the data folder, accessible to its owner only, unless it exists. @throws DataDirUnusable */
export function makeDataDir(dataDir: string): void {
  try {
    makeFolder(dataDir, 0o700);
  } catch (error) {
    throw new DataDirUnusable(dataDir, error);
  }
}
