// The two modes in which settings are read, and the files that mode `dev` creates.

import { join } from 'node:path';

/**
 * In mode `dev` missing settings get defaults; in mode `serve` keys and a store must be set, so that none is
 * accidental.
 */
export type Mode = 'serve' | 'dev';

/** The data folder of `dev` if DATA_DIR is unset. */
export const DEV_DATA_DIR = '.latchkey';
/** The folder of the keys that `dev` creates. */
export const ownKeysFolder = (dataDir: string): string => join(dataDir, 'keys');
/** The file of the issuer credential that `dev` creates. */
export const issuerTokenFile = (dataDir: string): string => join(dataDir, 'issuer-token');
