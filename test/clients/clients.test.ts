// Tests that the commands of docs/clients.md, in an empty folder, make clients that work on a running service.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { ROOT } from '../docs/markdown.js';
import { type Started, start } from '../support/processes.js';
import { type Section, section } from './page.js';
import { pathTo, protocOfPython } from './protoc.js';
import { CannotRun, needTools, Workplace } from './workplace.js';

const TOOLS: Readonly<Record<string, readonly string[]>> = {
  Go: ['go', 'protoc'],
  Python: ['python3'],
  Java: ['java', 'mvn'],
  TypeScript: ['npm', 'protoc'],
  'JavaScript without generated code': ['npm'],
};

const COMPARE = fileURLToPath(new URL('../../../test/clients/upstream/main.go', import.meta.url));

// Python puts the code of every file into one registry of names, whatever package it came from.
const GENERATE_ALL = `
files="$(cd "$LATCHKEY/proto/" && find . -name '*.proto' | sed 's#^\\./##')"
venv/bin/python -m grpc_tools.protoc -I "$LATCHKEY/proto" --python_out=. --grpc_python_out=. $files
test -f google/rpc/status_pb2.py
venv/bin/python main.py`;

describe('the page on clients', function () {
  this.timeout(300_000);
  const { script: before_, output } = section('Before you begin');
  const checkout = mkdtempSync(join(tmpdir(), 'latchkey-checkout-'));
  const places = new Map<string, Workplace>();
  const outputs = new Map<string, Promise<string>>();
  let dev: Started;
  let env: Record<string, string>;
  let protoc: Promise<Workplace | undefined>;

  before(async () => {
    const dataDir = join(checkout, '.latchkey');
    mkdirSync(dataDir);
    symlinkSync(join(ROOT, 'proto'), join(checkout, 'proto'));
    const anywhere = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0' };
    dev = await start('dev', 'gateway listening', { env: { ...anywhere, DATA_DIR: dataDir } });
    const { addresses } = dev.lines().find(({ msg }) => msg === 'service listening') as {
      addresses: readonly { host: string; port: number }[];
    };
    env = { LATCHKEY: checkout, AUTH_SERVICE_ADDRESS: `127.0.0.1:${addresses[0]?.port}` };
    protoc = protocOfPython();
    protoc.catch(() => {});
    // All at once: they wait for downloads most of the time.
    for (const language of Object.keys(TOOLS)) {
      const run = runSection(language);
      run.catch(() => {});
      outputs.set(language, run);
    }
  });
  after(async () => {
    await Promise.allSettled([protoc, ...outputs.values()]);
    (await protoc.catch(() => undefined))?.remove();
    for (const place of places.values()) place.remove();
    await dev.stop();
    rmSync(checkout, { recursive: true, force: true });
  });

  async function runSection(language: string): Promise<string> {
    const { files, script }: Section = section(language);
    const tools = TOOLS[language] ?? [];
    const borrowed = tools.includes('protoc') ? await protoc : undefined;
    needTools(...tools.filter((tool) => tool !== 'protoc' || borrowed === undefined));
    const place = new Workplace({ ...env, ...pathTo(borrowed) });
    places.set(language, place);
    for (const [path, content] of files) place.write(path, content);
    return place.run(before_ + script);
  }

  /** What the commands of a section print. Skips the test where they cannot run. */
  async function printed(test: Mocha.Context, language: string): Promise<{ output: string; place: Workplace }> {
    try {
      const output = await outputs.get(language);
      const place = places.get(language);
      if (output === undefined || !place) throw new Error(`the commands for ${language} were not run`);
      return { output, place };
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error;
      if (test.test) test.test.title += ` (skipped: ${error.message})`;
      return test.skip();
    }
  }

  for (const language of Object.keys(TOOLS)) {
    it(`${language}: its commands make a client that logs in, refreshes, logs out and reads error details`, async function () {
      const { output: all } = await printed(this, language);
      // The tools print lines of their own before, and Maven colours.
      expect(stripVTControlCharacters(all).slice(-output.length)).to.equal(output);
    });
  }

  it('Python: code of every file in proto/ goes together with the published packages', async function () {
    const { place } = await printed(this, 'Python');
    expect(await place.run(before_ + GENERATE_ALL)).to.equal(output);
  });

  it('Go: our copies of shared files declare what the published packages declare', async function () {
    const { place } = await printed(this, 'Go');
    place.write('upstream/main.go', readFileSync(COMPARE, 'utf8'));
    expect(await place.run('go run ./upstream "$LATCHKEY/proto/gen/descriptors.binpb"')).to.equal(
      ['google/rpc/error_details.proto', 'google/rpc/status.proto', 'grpc/health/v1/health.proto']
        .map((name) => `${name}: the same\n`)
        .join(''),
    );
  });
});
