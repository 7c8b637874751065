// The installation of the peer: at one version, into a folder of its own, by npm, without running its scripts.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Child, startChild } from '../servers/child.js';

export const PEER = 'oidc-provider@9.13.3';
const SERVER = fileURLToPath(new URL('./oidc-server.js', import.meta.url));

/** @returns where its entry is. @throws Error with what npm printed */
export function installPeer(folder: string): string {
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', PEER];
  const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8', cwd: folder });
  if (status !== 0) throw new Error(`npm could not install ${PEER}:\n${stderr}`);
  return pathToFileURL(join(folder, 'node_modules', 'oidc-provider', 'lib', 'index.js')).href;
}

export const startPeer = (folder: string, location: string, redisUrl: string): Promise<Child> =>
  startChild({ args: [SERVER, location, redisUrl], env: {}, folder, ready: 'peer listening' });
