// Tests of what importing a middleware loads.

import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

/** The packages in CommonJS, as all web libraries and drivers here are, that a process has loaded after an import. */
function loadedBy(entry: string): readonly string[] {
  const url = new URL(`../../src/middleware/${entry}.js`, import.meta.url).href;
  const code = `
    await import(${JSON.stringify(url)});
    const { createRequire } = await import('node:module');
    const paths = Object.keys(createRequire(import.meta.url).cache);
    console.log(JSON.stringify(paths.map((path) => /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(path)?.[1])));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  return [...new Set(JSON.parse(output) as string[])].sort();
}

describe('importing', () => {
  for (const entry of ['fastify', 'express']) {
    it(`the middleware for ${entry} loads no package`, () => expect(loadedBy(entry)).to.deep.equal([]));
  }

  it('the interceptor for gRPC loads grpc-js, and no server, store or log of ours', () => {
    const loaded = loadedBy('grpc');
    expect(loaded).to.include('@grpc/grpc-js');
    expect(loaded.filter((name) => ['fastify', 'ioredis', 'lmdb', 'pino'].includes(name))).to.deep.equal([]);
  });
});
