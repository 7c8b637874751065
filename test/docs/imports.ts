// The reading of imports: which file of the project imports which other, which package, and what of Node.

import { existsSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path/posix';
import { ROOT, readText } from './markdown.js';

/** One file's imports. */
export interface Imports {
  /** Files of the project, such as `src/core/token/token.ts`. */
  readonly files: readonly string[];
  /** Packages, by name. */
  readonly packages: readonly string[];
  /** Whether it imports any of Node's modules. */
  readonly node: boolean;
}

const SPECIFIERS = [
  /^(?:import|export)\b[^'";]*?\bfrom\s*(['"])(?<name>[^'"]+)\1/gm,
  /^import\s*(['"])(?<name>[^'"]+)\1/gm,
  // Also a type by `import('x')`, and `createRequire(…)('x')`.
  /\bimport\(\s*(['"])(?<name>[^'"]+)\1/g,
  /\bcreateRequire\([^)]*\)\(\s*(['"])(?<name>[^'"]+)\1/g,
];

/** All TypeScript files below some folders, by their paths in the project, in order. */
export const sourceFiles = (...folders: readonly string[]): string[] => filesBelow(folders, '.ts');

/** All files below some folders whose names end so; a folder that is not there has none. */
export const filesBelow = (folders: readonly string[], ending: string): string[] =>
  folders
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith(ending))
    .sort();

const COMMENT_LINE = /^\s*(?:\/\/|\*|\/\*).*$/gm;

/** A file's text without the lines that are comments. */
export const codeIn = (path: string): string => readText(path).replace(COMMENT_LINE, '');

/** The lines of a file that are comments. */
export const commentsIn = (path: string): string => (readText(path).match(COMMENT_LINE) ?? []).join('\n');

/** @throws Error for an import that none of the patterns reads: it must not go unchecked */
export function importsOf(path: string): Imports {
  const text = codeIn(path);
  const names = SPECIFIERS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ groups }) => groups?.['name'] ?? ''),
  );
  const statements = text.match(/^import\b|^export\b[^=(]*\bfrom\b|\bimport\(|\brequire\(/gm)?.length ?? 0;
  if (names.length < statements) throw new Error(`${path} has ${statements} imports; ${names.length} could be read`);
  const outside = names.filter((name) => !name.startsWith('.'));
  const isNode = (name: string): boolean => name.startsWith('node:') || builtinModules.includes(name);
  return {
    files: names
      .filter((name) => name.startsWith('.'))
      .map((name) => join(dirname(path), name).replace(/\.js$/, '.ts')),
    packages: outside.filter((name) => !isNode(name)).map(packageOf),
    node: outside.some(isNode),
  };
}

const packageOf = (name: string): string => name.split('/', name.startsWith('@') ? 2 : 1).join('/');
