// Signing keys on disk: a folder of PEM files, one private key each.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chownSync, existsSync, linkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { access, constants, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type NewestFirst, newestFirst } from '../../core/key-schedule.js';
import { makeFolder } from '../../platform/make-folder.js';
import { type Algorithm, keyFromPem, type SigningKey } from './signing-key.js';

const OPEN_TO_OTHERS = 0o007;
const WRITABLE_BY_OTHERS = 0o002;
/** The largest file that is taken for a key; one of RSA with 16,384 bits has 13 KiB. */
const MAX_FILE_BYTES = 64 * 1024;
const RSA_BITS = 2048;
const NO_FOLDER = 'there is no such folder';
const NO_KEY = 'it contains no file that ends in .pem';
const FIRST_KEY = '`latchkey keys generate` makes the first key';

/** A folder of keys, or a file in it, is not as it must be. The message names the file and never its content. */
export class KeyFileError extends Error {
  readonly code = 'KEY_FILE_ERROR';
  override readonly name = 'KeyFileError';
  /** Whether the disk or the system refused something: the same files may be read another time. */
  readonly passing: boolean;

  constructor(message: string, passing = false) {
    super(message);
    this.passing = passing;
  }
}

/** A key and where it comes from. */
export interface KeyFile {
  readonly path: string;
  readonly key: SigningKey;
  readonly kid: string;
  /** When the file was last written, Unix ms. */
  readonly sinceMs: number;
}

/** What a folder holds, where at least one file is in order. */
export interface FolderKeys {
  /** The newest first; of a key that is there twice the newer file. */
  readonly keys: NewestFirst<KeyFile>;
  /** The files that are not in order. */
  readonly broken: readonly string[];
  /** Names each of them, and what is wrong. */
  readonly fault: KeyFileError | undefined;
}

/** The keys of a folder in which every file is in order. @throws KeyFileError that names every file at fault */
export async function loadKeys(folder: string): Promise<NewestFirst<KeyFile>> {
  const { keys, fault } = await readKeys(folder);
  if (fault) throw fault;
  return keys;
}

/**
 * Reads every `*.pem` in a folder, one after the other: a disk that hangs must hold one thread, not all.
 * @throws KeyFileError if no file is in order
 */
export async function readKeys(folder: string): Promise<FolderKeys> {
  const broken: string[] = [];
  const faults: string[] = [];
  const files: KeyFile[] = [];
  let passing = false;
  for (const path of await pemFiles(folder)) {
    try {
      const sinceMs = await privateSinceMs(path);
      const key = keyFromPem(await readFile(path, 'utf8'));
      files.push({ path, key, kid: key.kid, sinceMs });
    } catch (error) {
      broken.push(path);
      faults.push(`${path}: ${textOf(error)}`);
      passing ||= isSystemError(error);
    }
  }
  const fault = faults.length > 0 ? new KeyFileError(faults.join('\n  '), passing) : undefined;
  files.sort(newestFirst);
  const [newest, ...others] = files.filter(({ kid }, at) => files.findIndex((file) => file.kid === kid) === at);
  if (!newest) throw fault ?? new KeyFileError(`${folder}: ${existsSync(folder) ? NO_KEY : NO_FOLDER}; ${FIRST_KEY}`);
  return { keys: [newest, ...others], broken, fault };
}

/** What is another text once `readKeys` may find something else: cheap, for no file is read. @throws KeyFileError */
export async function fingerprint(folder: string): Promise<string> {
  const parts: unknown[] = [];
  for (const path of await pemFiles(folder)) {
    try {
      // Through links: where a folder is swapped as a whole, names and links stay, and what they lead to changes.
      const { mtimeMs, ctimeMs, size, ino, mode } = await stat(path);
      parts.push(path, mtimeMs, ctimeMs, size, ino, mode);
    } catch (error) {
      parts.push(path, textOf(error));
    }
  }
  return parts.join('\n');
}

/**
 * The files in a folder that hold keys, in order of name; none if there is no such folder.
 * @throws KeyFileError also where others may add files: each would be a key, and whoever has it an issuer of tokens
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
    // Kubernetes mounts a Secret as such a folder, and read-only: no process can write to it.
    return !(isSystemError(error) && error.code === 'EROFS');
  }
}

/** Makes a new key. A name that begins with a dash would be taken for an option on a command line: then another one. */
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
 * Writes a key, readable by its owner alone: whole or not at all, so that nobody who looks meets half of it.
 * @returns the file
 */
export function writeKey(folder: string, name: string, pem: string): string {
  makeFolder(folder, 0o700);
  const path = join(folder, `${name}.pem`);
  // A name that nobody takes for a key.
  const whole = join(folder, `.${name}.${process.pid}.tmp`);
  try {
    writeFileSync(whole, pem, { mode: 0o600, flag: 'wx', flush: true });
    giveToOwner(whole, folder);
    linkOrRename(whole, path);
  } finally {
    rmSync(whole, { force: true });
  }
  return path;
}

/** Makes and writes a key of the kind that is usual. */
export const generateKey = (folder: string, name: string): string => writeKey(folder, name, makeKey('ES256').pem);

/** What root makes belongs to whom the folder belongs to: the service, which could not read it otherwise. */
function giveToOwner(file: string, folder: string): void {
  const { uid, gid } = statSync(folder);
  if (process.getuid?.() === 0 && uid !== 0) chownSync(file, uid, gid);
}

/** A link takes no other file's place, where a rename would; some file systems have none. */
function linkOrRename(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!isSystemError(error) || error.code === 'EEXIST') throw error;
    renameSync(from, to);
  }
}

/** When a file was last written, Unix ms. @throws Error if it is none, or others than owner and group may use it */
async function privateSinceMs(path: string): Promise<number> {
  const found = await stat(path);
  // Before it is opened: a pipe would be waited for.
  if (!found.isFile()) throw new Error('it is no file');
  if (found.size > MAX_FILE_BYTES) throw new Error(`it is too large for a key: ${found.size} bytes`);
  if (process.platform !== 'win32' && found.mode & OPEN_TO_OTHERS) {
    throw new Error(`every user of this machine can access it; run: chmod o= '${path}'`);
  }
  return found.mtimeMs;
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'code' in error;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
