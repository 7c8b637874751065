// The reader of a file with one secret, as Docker and Kubernetes provide it. Imports only Node.

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';

/** More than any secret or list of credentials needs. */
const MAX_BYTES = 64 * 1024;
const WRITABLE_BY_OTHERS = 0o002;
/** Without O_NONBLOCK, to open a pipe without a writer would block. Windows has no such flag. */
const OPEN = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'this process may not read it',
};

/** The text of the file without one final line end; or a description of what was found instead. */
export type SecretFile = { readonly text: string } | { readonly found: string };

/** Reads the file. Never throws, and `found` never contains the file's content. */
export function readSecretFile(path: string): SecretFile {
  let file: number | undefined;
  try {
    file = openSync(path, OPEN);
    return textOf(file);
  } catch (error) {
    const { code = 'unknown error', message } = error as NodeJS.ErrnoException;
    const reason = error instanceof Unusable ? message : (REASONS[code] ?? code);
    return { found: `${isThere(path) ? JSON.stringify(path) : 'a path'}: ${reason}` };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The file exists and cannot be used as a secret. */
class Unusable extends Error {}

function textOf(file: number): SecretFile {
  const found = fstatSync(file);
  if (found.isDirectory()) throw new Unusable('it is a folder');
  if (!found.isFile()) throw new Unusable('it is not a regular file');
  if (process.platform !== 'win32' && found.mode & WRITABLE_BY_OTHERS) {
    throw new Unusable('every user of this machine can write to it; run: chmod o-w on it');
  }
  const bytes = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read) {
    read = readSync(file, bytes, length, bytes.length - length, null);
  }
  if (length > MAX_BYTES) throw new Unusable(`it holds more than ${MAX_BYTES} bytes`);
  const text = decoded(bytes.subarray(0, length)).replace(/\r?\n$/, '');
  if (text === '') throw new Unusable('it is empty');
  return { text };
}

function decoded(bytes: Uint8Array): string {
  try {
    // A byte order mark stays in the text, so that it is reported.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unusable('it is not UTF-8');
  }
}

/** Whether the path exists. If not, it may be the secret itself in the wrong variable, so it must not be shown. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
