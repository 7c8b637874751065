// A copy of what is committed, in a folder of its own, and the commands of npm that run there.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { ROOT, readText } from '../docs/markdown.js';
import { TestClient } from '../support/auth-client.js';
import { ISSUER_TOKEN, JWT_SECRET, startServe } from '../support/processes.js';

/** Packages are fetched once, and come from npm's cache afterwards. */
export const INSTALL_MS = 180_000;
const NOT_COMMITTED = new Set(['.git', 'node_modules', 'dist', '.latchkey']);

/** What npm gives its scripts would have another npm work in the folder of the first. */
const OUTSIDE_NPM = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(?:registry|cache|userconfig)$)/i.test(name)),
);
export const ENV = {
  ...OUTSIDE_NPM,
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
};

/** @returns the standard output of a command that succeeds */
export const inShell = (command: string, cwd: string): string =>
  execFileSync('sh', ['-c', command], { cwd, env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** The packages that are for development alone, by the lock file. */
export function developmentPackages(): readonly string[] {
  const { packages } = JSON.parse(readText('package-lock.json')) as { packages: Record<string, { dev?: boolean }> };
  return Object.entries(packages).flatMap(([path, { dev }]) => (dev && path.startsWith('node_modules/') ? [path] : []));
}

export class FreshCheckout {
  /** For all that a test makes, the checkout too. */
  readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-package-'));
  readonly path = join(this.folder, 'checkout');

  constructor() {
    const filter = (path: string): boolean => path === ROOT || !NOT_COMMITTED.has(basename(path));
    cpSync(ROOT, this.path, { recursive: true, filter });
  }

  withPackages(): this {
    symlinkSync(join(ROOT, 'node_modules'), join(this.path, 'node_modules'));
    return this;
  }

  /** Serves, issues and validates with the program at a path. */
  async serves(main: string): Promise<void> {
    const served = await startServe({ main, env: { DATA_DIR: join(this.folder, 'data'), JWT_SECRET } });
    const client = new TestClient(served.address);
    const { accessToken } = await client.issue('alice', {}, ISSUER_TOKEN);
    expect(await client.verdict(accessToken)).to.equal('active');
    client.close();
    expect(await served.stop()).to.equal(0);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
