// The reading of a file that holds one secret, as Docker and Kubernetes hand them over. Imports Node alone.

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';

/** More than any secret, or list of credentials, needs. */
const MAX_BYTES = 64 * 1024;
const WRITABLE_BY_OTHERS = 0o002;
/** A pipe that nobody writes to would be waited for. Windows has no such flag. */
const OPEN = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'this process may not read it',
};

/** The text of the file, without the one line end that editors and `echo` put after it; or what was found instead. */
export type SecretFile = { readonly text: string } | { readonly found: string };

/** Reads the file. It never throws, and `found` never holds what is in the file. */
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

/** The file is there, and cannot be taken for a secret. */
class Unusable extends Error {}

function textOf(file: number): SecretFile {
  const found = fstatSync(file);
  if (found.isDirectory()) throw new Unusable('it is a folder');
  if (!found.isFile()) throw new Unusable('it is no regular file');
  if (process.platform !== 'win32' && found.mode & WRITABLE_BY_OTHERS) {
    throw new Unusable('everybody on this machine may write to it; run: chmod o-w on it');
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
    // A byte order mark stays: it is part of what is in the file, and is reported.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unusable('it is no UTF-8');
  }
}

/** Where nothing is there, the text may be the secret itself, put into the wrong variable. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
