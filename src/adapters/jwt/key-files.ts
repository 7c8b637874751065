// Signing keys on disk: a folder of PEM files with one private key each.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chownSync, existsSync, linkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { access, constants, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type NewestFirst, newestFirst } from '../../core/key-schedule.js';
import { makeFolder } from '../../platform/make-folder.js';
import { keyFromPem } from './key-pair.js';
import type { SigningKey } from './signing-key.js';
import type { Algorithm } from './verify/algorithm.js';

const OPEN_TO_OTHERS = 0o007;
const WRITABLE_BY_OTHERS = 0o002;
/** The largest accepted key file. An RSA key of 16,384 bits has 13 KiB. */
const MAX_FILE_BYTES = 64 * 1024;
const RSA_BITS = 2048;
const NO_FOLDER = 'there is no such folder';
const NO_KEY = 'it contains no file that ends in .pem';
const FIRST_KEY = '`latchkey keys generate` creates the first key';

/** A key folder, or a file in it, is invalid. The message names the file, and never contains its content. */
export class KeyFileError extends Error {
  readonly code = 'KEY_FILE_ERROR';
  override readonly name = 'KeyFileError';
  /** Whether the disk or the system caused the error, so that a later attempt may succeed with the same files. */
  readonly isTransient: boolean;

  constructor(message: string, isTransient = false) {
    super(message);
    this.isTransient = isTransient;
  }
}

/** A key and its file. */
export interface KeyFile {
  readonly path: string;
  readonly key: SigningKey;
  readonly kid: string;
  /** When the file was last written, Unix ms. */
  readonly sinceMs: number;
}

/** The content of a folder with at least one valid key. */
export interface FolderKeys {
  /** The newest first. If two files have the same key, the newer one. */
  readonly keys: NewestFirst<KeyFile>;
  /** The invalid files. */
  readonly broken: readonly string[];
  /** Names each invalid file and its error. */
  readonly fault: KeyFileError | undefined;
}

/** The keys of a folder whose files are all valid. @throws KeyFileError that names every invalid file */
export async function loadKeys(folder: string): Promise<NewestFirst<KeyFile>> {
  const { keys, fault } = await readKeys(folder);
  if (fault) throw fault;
  return keys;
}

/**
 * Reads every `*.pem` in a folder, one after the other, so that a hanging disk blocks one thread of the pool, not all.
 * @throws KeyFileError if no file is valid
 */
export async function readKeys(folder: string): Promise<FolderKeys> {
  const broken: string[] = [];
  const faults: string[] = [];
  const files: KeyFile[] = [];
  let isTransient = false;
  for (const path of await pemFiles(folder)) {
    try {
      const sinceMs = await privateSinceMs(path);
      const key = keyFromPem(await readFile(path, 'utf8'));
      files.push({ path, key, kid: key.kid, sinceMs });
    } catch (error) {
      broken.push(path);
      faults.push(`${path}: ${textOf(error)}`);
      isTransient ||= isSystemError(error);
    }
  }
  const fault = faults.length > 0 ? new KeyFileError(faults.join('\n  '), isTransient) : undefined;
  files.sort(newestFirst);
  const [newest, ...others] = files.filter(({ kid }, at) => files.findIndex((file) => file.kid === kid) === at);
  if (!newest) throw fault ?? new KeyFileError(`${folder}: ${existsSync(folder) ? NO_KEY : NO_FOLDER}; ${FIRST_KEY}`);
  return { keys: [newest, ...others], broken, fault };
}

/** A text that changes whenever `readKeys` may return something else. Cheap: it reads no file. @throws KeyFileError */
export async function fingerprint(folder: string): Promise<string> {
  const parts: unknown[] = [];
  for (const path of await pemFiles(folder)) {
    try {
      // `stat` follows links: if a whole folder is swapped, names and links stay the same, only their targets change.
      const { mtimeMs, ctimeMs, size, ino, mode } = await stat(path);
      parts.push(path, mtimeMs, ctimeMs, size, ino, mode);
    } catch (error) {
      parts.push(path, textOf(error));
    }
  }
  return parts.join('\n');
}

/**
 * The key files of a folder, sorted by name; empty if the folder does not exist.
 * @throws KeyFileError also if other users can add files: with a key of their own they could issue tokens
 */
export async function pemFiles(folder: string): Promise<string[]> {
  try {
    if (await isWritableByOthers(folder)) throw new KeyFileError(`${folder}: ${WRITABLE}'${folder}'`);
    const names = (await readdir(folder)).filter((name) => name.endsWith('.pem'));
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    if (isSystemError(error) && error.code === 'ENOENT') return [];
    throw new KeyFileError(`${folder}: ${textOf(error)}`, true);
  }
}

const WRITABLE =
  'every user of this machine can add a key to it; delete the keys in it that you did not make, then run: chmod o-w ';

/** @throws the system's error */
async function isWritableByOthers(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if (process.platform === 'win32' || !(mode & WRITABLE_BY_OTHERS)) return false;
  try {
    await access(folder, constants.W_OK);
    return true;
  } catch (error) {
    // Kubernetes mounts a Secret as a world-writable folder on a read-only mount, so no process can write to it.
    return !(isSystemError(error) && error.code === 'EROFS');
  }
}

/** Creates a key. Repeats if the `kid` begins with a dash, because a command line would read it as an option. */
export function makeKey(algorithm: Exclude<Algorithm, 'HS256'>): { readonly pem: string; readonly kid: string } {
  for (;;) {
    const { privateKey }: { privateKey: KeyObject } =
      algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: RSA_BITS });
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const { kid } = keyFromPem(pem);
    if (!kid.startsWith('-')) return { pem, kid };
  }
}

/**
 * Writes a key file that only its owner can read. Atomic, so that no reader sees an incomplete file.
 * @returns the file
 */
export function writeKey(folder: string, name: string, pem: string): string {
  makeFolder(folder, 0o700);
  const path = join(folder, `${name}.pem`);
  // The name does not end in .pem, so no reader takes it for a key.
  const temporary = join(folder, `.${name}.${process.pid}.tmp`);
  try {
    writeFileSync(temporary, pem, { mode: 0o600, flag: 'wx', flush: true });
    giveToOwner(temporary, folder);
    linkOrRename(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  return path;
}

/** Creates and writes an ES256 key. */
export const generateKey = (folder: string, name: string): string => writeKey(folder, name, makeKey('ES256').pem);

/** If root creates the file, it gets the owner of the folder: otherwise the service could not read it. */
function giveToOwner(file: string, folder: string): void {
  const { uid, gid } = statSync(folder);
  if (process.getuid?.() === 0 && uid !== 0) chownSync(file, uid, gid);
}

/** Prefers a link, because it does not replace an existing file as a rename does. Some file systems have no links. */
function linkOrRename(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!isSystemError(error) || error.code === 'EEXIST') throw error;
    renameSync(from, to);
  }
}

/** When a file was last written, Unix ms. @throws Error if it is no file, or users outside its group can access it */
async function privateSinceMs(path: string): Promise<number> {
  const found = await stat(path);
  // Checked before the open, which would block on a pipe.
  if (!found.isFile()) throw new Error('it is not a file');
  if (found.size > MAX_FILE_BYTES) throw new Error(`it is too large for a key: ${found.size} bytes`);
  if (process.platform !== 'win32' && found.mode & OPEN_TO_OTHERS) {
    throw new Error(`every user of this machine can access it; run: chmod o= '${path}'`);
  }
  return found.mtimeMs;
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'code' in error;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
