// Tests that the commands of docs/clients.md, in an empty folder, make clients that work on a running service.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { ROOT } from '../docs/markdown.js';
import { type Started, start } from '../support/processes.js';
import { type BuiltClient, clientOf } from './built-client.js';
import { section } from './page.js';
import { addProtoc, pathTo } from './protoc.js';
import { CannotRun, needTools, runs } from './workplace.js';

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
all="$(mktemp -d)"
trap 'rm -rf "$all"' EXIT
venv/bin/python -m grpc_tools.protoc -I "$LATCHKEY/proto" --python_out="$all" --grpc_python_out="$all" $files
test -f "$all/google/rpc/status_pb2.py"
cp main.py "$all"
venv/bin/python "$all/main.py"`;

describe('the page on clients', function () {
  this.timeout(300_000);
  const { script: before_, output } = section('Before you begin');
  /** The page has this done in the folder in which the service was started. */
  const preparation = `pushd "$LATCHKEY" >/dev/null\n${before_}\npopd >/dev/null\n`;
  const checkout = mkdtempSync(join(tmpdir(), 'latchkey-checkout-'));
  const clients = new Map<string, Promise<BuiltClient>>();
  let dev: Started;
  let env: Record<string, string>;

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
    // All at once: they wait for downloads most of the time.
    for (const language of ['Python', ...Object.keys(TOOLS)]) {
      if (clients.has(language)) continue;
      const client = build(language);
      client.catch(() => {});
      clients.set(language, client);
    }
  });
  after(async () => {
    await Promise.allSettled(clients.values());
    await dev.stop();
    rmSync(checkout, { recursive: true, force: true });
  });

  async function build(language: string): Promise<BuiltClient> {
    const tools = TOOLS[language] ?? [];
    const borrowed = tools.includes('protoc') ? await clientWithProtoc() : undefined;
    const versions = needTools(...tools.filter((tool) => tool !== 'protoc' || borrowed === undefined));
    const all = { ...env, ...pathTo(borrowed?.place) };
    return clientOf({ language, section: section(language), versions, env: all, preparation });
  }

  /** Where there is no protoc, the client in Python, which has one. */
  async function clientWithProtoc(): Promise<BuiltClient | undefined> {
    const python = runs('protoc') || !runs('python3') ? undefined : await clients.get('Python');
    if (python !== undefined) addProtoc(python.place);
    return python;
  }

  /** What the commands of a section print. Skips the test where they cannot run. */
  async function printed(test: Mocha.Context, language: string): Promise<BuiltClient> {
    try {
      const client = await clients.get(language);
      if (client === undefined) throw new Error(`the commands for ${language} were not run`);
      return client;
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
    expect(await place.run(preparation + GENERATE_ALL)).to.equal(output);
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
