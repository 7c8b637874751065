// Tests that the links of the documents lead somewhere in the package of `npm pack`, too.

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path/posix';
import { expect } from 'chai';
import { DOCUMENTS, ROOT, readText } from './markdown.js';

/** The files that `npm pack` would take, without building them. */
function packed(): readonly string[] {
  const report = execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(report) as [{ files: readonly { readonly path: string }[] }];
  return files.map(({ path }) => path);
}

/** A document without its code. */
const textOf = (document: string): string => readText(document).replace(/^```.*?^```$/gms, '');

describe('the package', () => {
  it('has every file and folder to which a document links', () => {
    const files = packed();
    const isThere = (target: string): boolean =>
      files.some((path) => path === target || path.startsWith(`${target.replace(/\/$/, '')}/`));
    expect(DOCUMENTS.filter((path) => !isThere(path))).to.deep.equal([]);
    const dead = DOCUMENTS.flatMap((document) =>
      [...textOf(document).matchAll(/\]\((?!https:)([^)#]+)/g)]
        .map(([, path = '']) => join(dirname(document), path))
        .filter((target) => !isThere(target))
        .map((target) => `${document}: ${target}`),
    );
    expect(dead).to.deep.equal([]);
  });
});
