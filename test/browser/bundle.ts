// Bundles of esbuild for the tests of the browser library, and the size of the library in one.

import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { ROOT } from '../docs/markdown.js';

/** Where test/browser/install.sh puts the packages of pages. */
const PAGE_PACKAGES = 'node_modules/.cache/pages';

/** The text of a minified module and all that it imports. @param entry a path in the project */
export async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, entry)],
    ...{ bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', logLevel: 'silent' },
    nodePaths: [join(ROOT, PAGE_PACKAGES, 'node_modules')],
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
