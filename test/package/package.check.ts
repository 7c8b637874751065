// Checks of the package of `npm pack`: what is in it, and what it does where it is installed.
// They install packages, so they are no part of `npm test`: `npm run test:package` runs them.

import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readText } from '../docs/markdown.js';
import { start } from '../support/processes.js';
import { until } from '../support/waiting.js';
import { developmentPackages, FreshCheckout, INSTALL_MS, inShell } from './fresh-checkout.js';
import { Shop } from './shop.js';
import { startedAndEnded } from './started-by-npm.js';
import { WALK, walked } from './walk.js';

/** The most that a download may have, bytes. A quarter more than in November 2026. */
const TARBALL_BYTES = 800_000;
/** What runs, the contract, and the documents. */
const PACKED = [
  /^dist\/(?:src|gateway|proto)\/[\w./-]+\.(?:js|d\.ts)$/,
  /^proto\/[\w./-]+\.proto$|^proto\/gen\/descriptors\.binpb$/,
  /^docs\/[\w./-]+$|^(?:README|CHANGELOG|CONTRIBUTING|SECURITY)\.md$|^LICENSE$|^package\.json$/,
  // To what the documents link.
  /^(?:examples|deploy)\/[\w./-]+$|^bench\/README\.md$|^Dockerfile$|^docker-compose\.yml$/,
];

/** The versions of Node that the package is for, as npm's package `node` brings them; whether it is one exact version. */
const NODES: Readonly<Record<string, boolean>> = { '20.19.0': true, '22': false, '24': false };

/** Prints whether the libraries are exported, and why a module within the package is not. */
const IMPORTS = `const { createValidator } = await import("latchkey/validator");
const { createSession } = await import("latchkey/browser");
const { code } = await import("latchkey/dist/src/service/start-service.js").catch((error) => error);
console.log(typeof createValidator, typeof createSession, code);`;

describe('the package', function () {
  this.timeout(INSTALL_MS);
  const { version } = JSON.parse(readText('package.json')) as { version: string };
  let checkout: FreshCheckout;
  let tarball: string;
  before(() => {
    checkout = new FreshCheckout().withPackages();
    inShell('npm pack --silent', checkout.path);
    const [name = ''] = readdirSync(checkout.path).filter((each) => each.endsWith('.tgz'));
    tarball = join(checkout.path, name);
  });
  after(() => checkout.remove());

  /** An empty folder. */
  function emptyFolder(name: string): string {
    const folder = join(checkout.folder, name);
    mkdirSync(folder);
    return folder;
  }

  it('has what runs, the contract and the documents, nothing else, and stays small', () => {
    const files = inShell(`tar tzf '${tarball}'`, checkout.folder).trim().split('\n');
    const paths = files.map((file) => file.replace(/^package\//, ''));
    expect(paths).to.include.members([
      ...[
        'dist/src/main.js',
        'dist/gateway/server.js',
        'dist/src/validator/index.d.ts',
        'dist/src/browser/index.d.ts',
        'LICENSE',
        'README.md',
      ],
      ...['proto/auth/v1/auth_service.proto', 'proto/gen/descriptors.binpb', 'docs/validator.md'],
    ]);
    expect(paths.filter((path) => !PACKED.some((pattern) => pattern.test(path)))).to.deep.equal([]);
    expect(statSync(tarball).size).to.be.below(TARBALL_BYTES);
  });

  it('starts dev and serve where it is installed for production', async () => {
    const app = emptyFolder('app');
    inShell(`npm install --engine-strict --omit=dev '${tarball}'`, app);
    expect(inShell('./node_modules/.bin/latchkey --version', app)).to.equal(`${version}\n`);
    expect(developmentPackages().filter((path) => existsSync(join(app, path, 'package.json')))).to.deep.equal([]);
    const main = join(app, 'node_modules/latchkey/dist/src/main.js');
    await checkout.serves(main);
    expect(inShell(`node --input-type=module -e '${IMPORTS}'`, app)).to.equal(
      'function function ERR_PACKAGE_PATH_NOT_EXPORTED\n',
    );
    const env = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', DATA_DIR: join(checkout.folder, 'dev') };
    const dev = await start('dev', 'gateway listening', { main, env });
    // From these words on it ends in order.
    await until(() => dev.output().includes('Latchkey is ready'), INSTALL_MS);
    expect(await dev.stop()).to.equal(0);
  });

  for (const [version, isWhole] of Object.entries(NODES)) {
    it(`runs on Node ${version}, from its command to its library`, async () => {
      const folder = emptyFolder(`node-${version}`);
      inShell(`npm install node@${version} '${tarball}'`, folder);
      const path = `PATH='${join(folder, 'node_modules/node/bin')}':"$PATH"`;
      const running = inShell(`${path} node --version`, folder).trim();
      expect(running).to.match(
        new RegExp(`^v${version.replaceAll('.', String.raw`\.`)}${isWhole ? '$' : String.raw`\.`}`),
      );
      writeFileSync(join(folder, 'walk.mjs'), WALK);
      expect(inShell(`${path} node walk.mjs '${join(folder, 'data')}' 2>dev.log`, folder)).to.equal(walked(running));
    });
  }

  it('runs by npx in an empty folder, and ends by Ctrl-C', async () => {
    const folder = emptyFolder('npx');
    const command = ['npx', '--yes', '--package', tarball, '--', 'latchkey', 'dev'];
    // npx has a shell start the program, and ends the shell alone.
    expect(await startedAndEnded(command, folder, 'terminal')).to.include('service stopped');
    expect(readdirSync(folder)).to.deep.equal(['.latchkey']);
  });

  it('is a command where it is installed globally', () => {
    const prefix = emptyFolder('global');
    inShell(`npm install --global --prefix '${prefix}' '${tarball}'`, prefix);
    expect(inShell('bin/latchkey --version', prefix)).to.equal(`${version}\n`);
    expect(inShell(`JWT_KEYS_DIR='${prefix}/keys' bin/latchkey keys generate`, prefix)).to.match(/ES256/);
  });

  it('runs and type-checks the programs of docs/validator.md where it is installed', async () => {
    const shop = new Shop(join(checkout.folder, 'shop'), checkout.path);
    await shop.install(inShell);
    for (const resolution of ['node16', 'bundler'] as const) shop.typeCheck(resolution, inShell);
    await shop.tryAll();
  });
});
