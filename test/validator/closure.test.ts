// The proof of what `import 'latchkey/validator'` loads: gRPC's client and the rules of tokens, no store and no server.

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path/posix';
import { expect } from 'chai';
import { importsOf } from '../docs/imports.js';
import { ROOT, readText } from '../docs/markdown.js';

const ENTRY = 'src/validator/index.ts';

/** What a script that imports the entry by its published name has loaded: packages, and modules of Node. */
const SCRIPT = `
  import { createRequire } from 'node:module';
  const { createValidator, CannotTell } = await import('latchkey/validator');
  const paths = Object.keys(createRequire(import.meta.url).cache);
  const packages = new Set(paths.map((path) => /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(path)?.[1]));
  console.log(JSON.stringify({ packages: [...packages], exports: [typeof createValidator, typeof CannotTell] }));
`;

describe('the closure of latchkey/validator', () => {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    files.add(path);
    const imports = importsOf(path);
    for (const name of imports.packages) packages.add(name);
    imports.files.forEach(visit);
  };
  before(() => visit(ENTRY));

  it('is the library, the rules of tokens, collections, the contract, addresses and TLS: no store, no server, no log', () => {
    const rooms =
      /^(?:src\/validator|src\/core\/token|src\/collections|src\/adapters\/jwt\/verify|proto\/gen|src\/platform\/tls)\//;
    const others = [...files].filter((path) => !rooms.test(path));
    expect(others.sort()).to.deep.equal([
      'src/core/errors.ts',
      'src/core/feed/limits.ts',
      'src/core/session/entries.ts',
      'src/core/session/session-state.ts',
      'src/platform/client-channel.ts',
      'src/platform/env/values.ts',
      'src/platform/retry-delay.ts',
    ]);
    expect([...packages].sort()).to.deep.equal(['@bufbuild/protobuf', '@grpc/grpc-js', 'jsonwebtoken']);
  });

  it('loads no package of the service when it is imported by its name', () => {
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const loaded = JSON.parse(output) as { packages: string[]; exports: string[] };
    expect(loaded.exports).to.deep.equal(['function', 'function']);
    expect(loaded.packages).to.include('@grpc/grpc-js');
    const { dependencies } = JSON.parse(readText('package.json')) as { dependencies: Record<string, string> };
    const direct = Object.keys(dependencies).filter((name) => loaded.packages.includes(name));
    // @bufbuild/protobuf is a module of ECMAScript, which this list does not have.
    expect(direct.sort()).to.deep.equal(['@grpc/grpc-js', 'jsonwebtoken']);
  });

  it('has declarations, as the middlewares do, that need no other files than those that are published', () => {
    const {
      exports,
      files: published,
      dependencies,
      peerDependencies,
    } = JSON.parse(readText('package.json')) as {
      exports: Record<string, { types?: string }>;
      files: string[];
      dependencies: Record<string, string>;
      peerDependencies: Record<string, string>;
    };
    const needed = new Set<string>();
    const read = (path: string): void => {
      if (needed.has(path)) return;
      needed.add(path);
      for (const { groups } of readText(path).matchAll(/from '(?<name>[^']+)'/g)) {
        const name = groups?.['name'] ?? '';
        if (name.startsWith('.')) read(join(dirname(path), name).replace(/\.js$/, '.d.ts'));
        else if (!name.startsWith('node:'))
          expect({ ...dependencies, ...peerDependencies }, path).to.have.property(name);
      }
    };
    for (const { types } of Object.values(exports)) if (types) read(types.slice(2));
    expect([...needed].sort()).to.deep.equal(published.filter((path) => path.endsWith('.d.ts')).sort());
  });
});
