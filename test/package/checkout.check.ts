// Checks of what a fresh checkout becomes: the production tree of docs/deployment.md, a service under npm.
// They install packages, so they are no part of `npm test`: `npm run test:package` runs them.

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { codeLines, readText } from '../docs/markdown.js';
import { developmentPackages, FreshCheckout, INSTALL_MS, inShell } from './fresh-checkout.js';
import { startedAndEnded } from './started-by-npm.js';

describe('a fresh checkout', function () {
  this.timeout(INSTALL_MS);
  let checkout: FreshCheckout;
  beforeEach(() => {
    checkout = new FreshCheckout();
  });
  afterEach(() => checkout.remove());

  it('becomes a tree without development packages by the commands of docs/deployment.md', async () => {
    const section = readText('docs/deployment.md').split('## In production')[1] ?? '';
    const [command = ''] = codeLines(section, 'sh');
    expect(command).to.match(/^npm ci && npm run build && npm prune --omit=dev\b/);
    inShell(command, checkout.path);
    expect(developmentPackages().length).to.be.above(30);
    expect(developmentPackages().filter((path) => existsSync(join(checkout.path, path, 'package.json')))).to.deep.equal(
      [],
    );
    await checkout.serves(join(checkout.path, 'dist/src/main.js'));
  });

  it('has an SBOM of the packages that run, and of no other', () => {
    const { path } = checkout.withPackages();
    const sbom = JSON.parse(inShell('npm run --silent sbom', path)) as { components: { name: string }[] };
    const { packages } = JSON.parse(readText('package-lock.json')) as { packages: Record<string, { dev?: boolean }> };
    const names = (wanted: boolean) =>
      new Set(
        Object.entries(packages).flatMap(([at, { dev = false }]) =>
          at !== '' && dev === wanted ? [at.replace(/^.*node_modules\//, '')] : [],
        ),
      );
    const listed = new Set(sbom.components.map(({ name }) => name));
    for (const name of ['fastify', '@grpc/grpc-js', 'ioredis', 'lmdb']) expect(listed).to.include(name);
    const onlyForDevelopment = [...names(true)].filter((name) => !names(false).has(name));
    expect(onlyForDevelopment.filter((name) => listed.has(name))).to.deep.equal([]);
  });

  it('loses by a build what has no source any more, and nothing else', () => {
    const { path } = checkout.withPackages();
    inShell('npm run --silent build', path);
    const built = () => readdirSync(join(path, 'dist'), { recursive: true, encoding: 'utf8' }).sort();
    const files = built();
    for (const name of ['gone.test.js', 'gone.test.js.map']) writeFileSync(join(path, 'dist/test', name), '');
    inShell('npm run --silent build', path);
    expect(built()).to.deep.equal(files);
  });

  it('ends the service where npm is ended, for npm runs scripts in a shell', async () => {
    const { path } = checkout.withPackages();
    expect(await startedAndEnded(['npm', 'start'], path, 'process')).to.include('service stopped');
  });
});
