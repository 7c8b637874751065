// A Python environment with the packages and the generated code of docs/integrations.md, made once and kept.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { ROOT, readText } from '../docs/markdown.js';
import { codeOnPage } from '../integrations/page.js';
import { KeptFolder } from '../support/kept-folder.js';

/** How long pip may take where nothing is cached, ms. */
const INSTALL_MS = 150_000;
/** What pip prints without a network. */
const OFFLINE = /failure in name resolution|Network is unreachable|Temporary failure|No matching distribution found/i;
/** Beside what the page says: the package whose way of checking tokens the page compares. */
const FURTHER = 'venv/bin/pip install djangorestframework-simplejwt\n';

/**
 * The folder in which the page's commands have run. Beside `venv` it has the generated package `auth`.
 * @returns a text that says why it cannot be had, if Python or the network is missing
 * @throws Error with all output, if the commands fail in another way
 */
export function pythonFolder(): { readonly folder: string } | { readonly missing: string } {
  const version = spawnSync('python3', ['-c', 'import sys; assert sys.version_info >= (3, 10); print(sys.version)']);
  if (version.status !== 0) return { missing: 'there is no python3 of version 3.10 or later' };
  const script = codeOnPage('sh') + FURTHER;
  const protos = ['auth_service', 'token'].map((name) => readText(`proto/auth/v1/${name}.proto`));
  const kept = new KeptFolder('python', [script, ...protos, `${version.stdout}`]);
  if (kept.isKept) return { folder: kept.path };
  const fresh = kept.begin();
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: fresh,
    env: { ...process.env, LATCHKEY: ROOT, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
    encoding: 'utf8',
    timeout: INSTALL_MS,
  });
  if (status === 0) {
    kept.keep(fresh);
    return { folder: kept.path };
  }
  rmSync(fresh, { recursive: true });
  if (status === null || OFFLINE.test(stdout + stderr)) return { missing: 'the Python packages cannot be installed' };
  throw new Error(`the commands of docs/integrations.md ended with ${status}:\n${stdout}\n${stderr}`);
}
