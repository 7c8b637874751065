// Tests of what `latchkey/browser` is: small, without dependencies, of ES2022, and importable by its name.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { transformSync } from 'esbuild';
import { importsOf, sourceFiles } from '../docs/imports.js';
import { ROOT, readText } from '../docs/markdown.js';
import { librarySize } from './bundle.js';

/** What a page may write, and what it may not. */
const TYPED = `
import { createSession, type Session, SessionError } from 'latchkey/browser';
const session: Session = createSession({ mode: localStorage, origins: ['https://api.example.com'] });
createSession({ base: 'https://auth.example.com', mode: 'cookie' });
const remove: () => void = session.on('unavailable', (error) => console.log(error?.code === 'refused'));
export async function use(form: HTMLFormElement): Promise<string | undefined> {
  await session.signIn();
  const response: Response = await session.fetch(new URL('/orders', location.href), { body: new FormData(form) });
  await session.logout({ all: true }).catch((error: unknown) => error instanceof SessionError);
  remove();
  return response.ok ? session.accessToken() : undefined;
}
// @ts-expect-error there is no such mode
createSession({ mode: 'session' });
// @ts-expect-error there is no such event
session.on('signedOff', () => {});
`;

/** The bound of the page docs/browsers.md, bytes. */
const MOST_BYTES = 2048;

describe('latchkey/browser', () => {
  it('has at most 2 KB, gzipped', async () => {
    expect((await librarySize()).gzipped).to.be.at.most(MOST_BYTES);
  });

  it('has the syntax of ES2022: a compiler for that has nothing to change', () => {
    const modules = new URL('../../src/browser/', import.meta.url);
    for (const name of readdirSync(modules).filter((each) => each.endsWith('.js'))) {
      const text = readFileSync(new URL(name, modules), 'utf8');
      const [kept, compiled] = ['esnext', 'es2022'].map((target) => transformSync(text, { target }).code);
      expect(compiled, name).to.equal(kept);
    }
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

  it('has types for pages, which know no types of Node', () => {
    // Within the project, so that its name resolves as where it is installed.
    const folder = mkdtempSync(join(ROOT, 'dist/typed-'));
    try {
      writeFileSync(join(folder, 'typed.ts'), TYPED);
      for (const moduleResolution of ['bundler', 'node16']) {
        const module = moduleResolution === 'node16' ? 'node16' : 'esnext';
        const options = { strict: true, noEmit: true, target: 'es2022', lib: ['es2022', 'dom'], types: [] };
        const compilerOptions = { ...options, exactOptionalPropertyTypes: true, module, moduleResolution };
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }));
        execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
