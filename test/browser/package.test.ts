// Tests of what `latchkey/browser` is: small, without dependencies, of ES2022, and importable by its name.

import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { importsOf, sourceFiles } from '../docs/imports.js';
import { readText } from '../docs/markdown.js';
import { librarySize } from './bundle.js';

/** The bound of the page docs/browsers.md, bytes. */
const MOST_BYTES = 2048;

describe('latchkey/browser', () => {
  it('has at most 2 KB, gzipped', async () => {
    expect((await librarySize()).gzipped).to.be.at.most(MOST_BYTES);
  });

  it('imports nothing', () => {
    for (const path of sourceFiles('src/browser')) {
      const { packages, node, files } = importsOf(path);
      expect([packages, node]).to.deep.equal([[], false]);
      expect(files.filter((file) => !file.startsWith('src/browser/'))).to.deep.equal([]);
    }
  });

  it('is exported by its name, with its types in the package', () => {
    const { exports, files } = JSON.parse(readText('package.json'));
    expect(exports['./browser']).to.deep.equal({
      types: './dist/src/browser/index.d.ts',
      default: './dist/src/browser/index.js',
    });
    const types = readdirSync(new URL('../../src/browser/', import.meta.url)).filter((name) => name.endsWith('.d.ts'));
    expect(types).to.include.members(['index.d.ts', 'api.d.ts', 'session.d.ts']);
    expect(files).to.include.members(['index', 'api', 'session'].map((name) => `dist/src/browser/${name}.d.ts`));
  });
});
