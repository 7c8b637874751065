// The issuer credential that `latchkey dev` creates: its file, written atomically, accessible to its owner only.

import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { Secret } from '../platform/env.js';
import { isSendable, MIN_ISSUER_TOKEN } from '../settings/issuer.js';
import { issuerTokenFile } from '../settings/mode.js';

const OPEN_TO_OTHERS = 0o077;

/** The file exists and must not be used. The message names the file, and never contains its content. */
export class IssuerTokenUnusable extends Error {
  readonly code = 'ISSUER_TOKEN_UNUSABLE';
  override readonly name = 'IssuerTokenUnusable';

  constructor(file: string, reason: string) {
    super(`the issuer's credential in ${file} cannot be used: ${reason}`);
  }
}

/** The credential in a data folder; undefined if there is none. @throws IssuerTokenUnusable */
export function keptIssuerToken(dataDir: string): Secret | undefined {
  const file = issuerTokenFile(dataDir);
  const kept = read(file);
  // A crash after the creation left an empty file. It contains no credential, so a new one may replace it.
  if (kept === undefined || kept.text === '') return undefined;
  if (process.platform !== 'win32' && kept.mode & OPEN_TO_OTHERS) {
    throw new IssuerTokenUnusable(file, `others may read it; run: chmod 600 '${file}'`);
  }
  if (kept.text.length < MIN_ISSUER_TOKEN || !isSendable(kept.text)) {
    const wanted = `it must be one line of at least ${MIN_ISSUER_TOKEN} printable ASCII characters`;
    throw new IssuerTokenUnusable(file, `${wanted}; delete it, and \`latchkey dev\` creates another`);
  }
  return new Secret(kept.text);
}

/** Creates a credential, and writes it to its file. */
export function makeIssuerToken(dataDir: string): Secret {
  const file = issuerTokenFile(dataDir);
  const made = randomBytes(32).toString('base64url');
  // Written and then renamed, so that a crash leaves no incomplete file.
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${made}\n`, { mode: 0o600, flush: true });
  renameSync(temporary, file);
  return new Secret(made);
}

function read(file: string): { readonly text: string; readonly mode: number } | undefined {
  try {
    return { text: readFileSync(file, 'utf8').trim(), mode: statSync(file).mode };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new IssuerTokenUnusable(file, error instanceof Error ? error.message : String(error));
  }
}
