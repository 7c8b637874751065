// Bundles of esbuild for the tests of the browser library, and the size of the library in one.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../docs/markdown.js';

/** Where test/browser/install.sh puts the packages of pages. */
const PAGE_PACKAGES = 'node_modules/.cache/pages';

/**
 * The text of a minified module and all that it imports.
 * @param entry a path in the project
 * @param constants exported constants whose values are replaced in all modules, by name
 */
export async function bundle(entry: string, constants: Readonly<Record<string, string>> = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, entry)],
    ...{ bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', logLevel: 'silent' },
    nodePaths: [join(ROOT, PAGE_PACKAGES, 'node_modules')],
    plugins: Object.keys(constants).length > 0 ? [replacing(constants)] : [],
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  return outputFiles[0]?.text ?? '';
}

export interface Size {
  readonly minified: number;
  readonly gzipped: number;
}

/** The size of `latchkey/browser` as the package has it, bytes. */
export async function librarySize(): Promise<Size> {
  const text = await bundle('dist/src/browser/index.js');
  return { minified: Buffer.byteLength(text), gzipped: gzipSync(text, { level: 9 }).length };
}

/** Replaces the values of constants. @throws Error if a module named `constants` has none of that name */
const replacing = (constants: Readonly<Record<string, string>>): Plugin => ({
  name: 'constants',
  setup: (build) =>
    build.onLoad({ filter: /auth-js.*\/constants\.js$/ }, ({ path }) => ({
      contents: Object.entries(constants).reduce(
        (text, [name, value]) => {
          const declared = new RegExp(`(export const ${name} = )[^;]+`);
          if (!declared.test(text)) throw new Error(`${path} has no constant ${name}`);
          return text.replace(declared, `$1${value}`);
        },
        readFileSync(path, 'utf8'),
      ),
    })),
});
