// Checks of what a fresh checkout becomes: the package of `npm pack`, the production tree of docs/deployment.md, a service under
// npm. They install packages, so they are no part of `npm test`: `npm run test:package` runs them.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { codeLines, ROOT, readText } from '../docs/markdown.js';
import { until } from '../e2e/stage.js';
import { TestClient } from '../support/auth-client.js';
import { ISSUER_TOKEN, JWT_SECRET, start, startServe } from '../support/processes.js';
import { Shop } from './shop.js';

/** Packages are fetched once, and come from npm's cache afterwards. */
const INSTALL_MS = 180_000;
const NOT_COMMITTED = new Set(['.git', 'node_modules', 'dist', '.latchkey']);

/** What npm gives its scripts would have another npm work in the folder of the first. */
const OUTSIDE_NPM = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(?:registry|cache|userconfig)$)/i.test(name)),
);
const ENV = { ...OUTSIDE_NPM, npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false' };

const inShell = (command: string, cwd: string): string =>
  execFileSync('sh', ['-c', command], { cwd, env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** The packages that are for development alone, by the lock file. */
function developmentPackages(): readonly string[] {
  const { packages } = JSON.parse(readText('package-lock.json')) as { packages: Record<string, { dev?: boolean }> };
  return Object.entries(packages).flatMap(([path, { dev }]) => (dev && path.startsWith('node_modules/') ? [path] : []));
}

/** Prints whether the library is exported, and why a module within the package is not. */
const IMPORTS = `const { createValidator } = await import("latchkey/validator");
const { code } = await import("latchkey/dist/src/service.js").catch((error) => error);
console.log(typeof createValidator, code);`;

describe('a fresh checkout', function () {
  this.timeout(INSTALL_MS);
  let folder: string;
  let checkout: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-package-'));
    checkout = join(folder, 'checkout');
    cpSync(ROOT, checkout, { recursive: true, filter: (path) => path === ROOT || !NOT_COMMITTED.has(basename(path)) });
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const withPackages = () => symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));

  /** Serves, issues and validates with the program at a path. */
  async function serves(main: string): Promise<void> {
    const data = join(folder, 'data');
    const served = await startServe({ main, env: { DATA_DIR: data, JWT_SECRET } });
    const client = new TestClient(served.address);
    const { accessToken } = await client.issue('alice', {}, ISSUER_TOKEN);
    expect(await client.verdict(accessToken)).to.equal('active');
    client.close();
    expect(await served.stop()).to.equal(0);
  }

  it('packs to a whole package, which starts dev and serve where it is installed for production', async () => {
    withPackages();
    inShell('npm pack --silent', checkout);
    const [name = ''] = readdirSync(checkout).filter((each) => each.endsWith('.tgz'));
    const files = execFileSync('tar', ['tzf', join(checkout, name)], { encoding: 'utf8' }).split('\n');
    expect(files).to.include.members([
      ...['package/dist/src/main.js', 'package/dist/gateway/server.js', 'package/proto/gen/descriptors.binpb'],
      ...['package/proto/auth/v1/auth_service.proto', 'package/LICENSE', 'package/README.md'],
    ]);
    expect(files.filter((file) => /^package\/(?:src|test|bench|gateway|dist\/test|dist\/bench)\//.test(file))).to.be
      .empty;

    const app = join(folder, 'app');
    mkdirSync(app);
    inShell(`npm install --engine-strict --omit=dev '${join(checkout, name)}'`, app);
    const { version } = JSON.parse(readText('package.json')) as { version: string };
    expect(inShell('./node_modules/.bin/latchkey --version', app)).to.equal(`${version}\n`);
    expect(developmentPackages().filter((path) => existsSync(join(app, path, 'package.json')))).to.deep.equal([]);
    const main = join(app, 'node_modules/latchkey/dist/src/main.js');
    await serves(main);
    expect(inShell(`node --input-type=module -e '${IMPORTS}'`, app)).to.equal(
      'function ERR_PACKAGE_PATH_NOT_EXPORTED\n',
    );
    const env = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', DATA_DIR: join(folder, 'dev') };
    const dev = await start('dev', 'gateway listening', { main, env });
    // From these words on it ends in order.
    await until(() => dev.output().includes('Latchkey is ready'), INSTALL_MS);
    expect(await dev.stop()).to.equal(0);
  });

  it('runs and type-checks the programs of docs/validator.md where it is installed', async () => {
    withPackages();
    inShell('npm pack --silent', checkout);
    const shop = new Shop(join(folder, 'shop'), checkout);
    await shop.install(inShell);
    for (const resolution of ['node16', 'bundler'] as const) shop.typeCheck(resolution, inShell);
    await shop.tryAll();
  });

  it('becomes a tree without development packages by the commands of docs/deployment.md', async () => {
    const section = readText('docs/deployment.md').split('## In production')[1] ?? '';
    const [command = ''] = codeLines(section, 'sh');
    expect(command).to.match(/^npm ci && npm run build && npm prune --omit=dev\b/);
    inShell(command, checkout);
    expect(developmentPackages().length).to.be.above(30);
    expect(developmentPackages().filter((path) => existsSync(join(checkout, path, 'package.json')))).to.deep.equal([]);
    await serves(join(checkout, 'dist/src/main.js'));
  });

  it('loses by a build what has no source any more, and nothing else', () => {
    withPackages();
    inShell('npm run --silent build', checkout);
    const built = () => readdirSync(join(checkout, 'dist'), { recursive: true, encoding: 'utf8' }).sort();
    const files = built();
    for (const name of ['gone.test.js', 'gone.test.js.map']) writeFileSync(join(checkout, 'dist/test', name), '');
    inShell('npm run --silent build', checkout);
    expect(built()).to.deep.equal(files);
  });

  it('ends the service where npm is ended, for npm runs scripts in a shell', async () => {
    withPackages();
    const addresses = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', DATA_DIR: join(folder, 'data') };
    const npm = spawn('npm', ['start'], {
      cwd: checkout,
      env: { ...ENV, ...addresses },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(npm, 'close');
    const lines: { msg: string; pid: number }[] = [];
    npm.stdout.on('data', (text: Buffer) => text.includes('Latchkey is ready') && npm.kill('SIGTERM'));
    try {
      // The pipe is closed once the last process that has it is gone.
      for await (const line of createInterface({ input: npm.stderr })) {
        if (!line.startsWith('{')) continue;
        lines.push(JSON.parse(line));
      }
      await closed;
      expect(lines.map(({ msg }) => msg)).to.include('service stopped');
    } finally {
      const pid = lines[0]?.pid;
      if (pid !== undefined && existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
    }
  });
});
