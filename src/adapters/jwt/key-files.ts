// Owns signing keys on disk: a folder of PEM files, one private key each.

import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyFromPem, type SigningKey } from './signing-key.js';

const OPEN_TO_OTHERS = 0o007;

/** A folder of keys, or a file in it, is not as it must be. The message names the file and never its content. */
export class KeyFileError extends Error {
  readonly code = 'KEY_FILE_ERROR';
  override readonly name = 'KeyFileError';
}

/**
 * Reads every `*.pem` in a folder.
 * @returns the newest file's key first: that one signs
 * @throws KeyFileError that names every file at fault
 */
export function loadKeys(folder: string): readonly [SigningKey, ...SigningKey[]] {
  const faults: string[] = [];
  const keys = pemFiles(folder).flatMap((path) => {
    try {
      return [{ key: keyFromPem(readFileSync(path, 'utf8')), atMs: privateSinceMs(path) }];
    } catch (error) {
      faults.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  if (faults.length > 0) throw new KeyFileError(faults.join('\n  '));
  const [newest, ...others] = keys.sort((a, b) => b.atMs - a.atMs).map(({ key }) => key);
  if (!newest) throw new KeyFileError(`${folder}: it holds no file that ends in .pem`);
  return [newest, ...others];
}

/** Writes a new ES256 key, readable by its owner alone. */
export function generateKey(folder: string, name: string): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, `${name}.pem`), privateKey.export({ format: 'pem', type: 'pkcs8' }), {
    mode: 0o600,
    flag: 'wx',
  });
}

/** The files in a folder that hold keys, in order of name; none if there is no such folder. */
export function pemFiles(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.pem'));
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new KeyFileError(`${folder}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** When a file was last written, Unix ms. @throws Error if others than owner and group may use it */
function privateSinceMs(path: string): number {
  const { mode, mtimeMs } = statSync(path);
  if (process.platform !== 'win32' && mode & OPEN_TO_OTHERS) {
    throw new Error(`everybody on this machine may use it; run: chmod o= '${path}'`);
  }
  return mtimeMs;
}
