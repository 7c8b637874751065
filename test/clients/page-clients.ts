// The clients of docs/clients.md: made by its commands, each in an empty folder, beside a running service.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { ROOT } from '../docs/markdown.js';
import { type Started, start } from '../support/processes.js';
import { type BuiltClient, clientOf } from './built-client.js';
import { section } from './page.js';
import { addProtoc, pathTo } from './protoc.js';
import { CannotRun, needTools, runs } from './workplace.js';

/** The sections, and the tools that their commands need. */
const TOOLS = {
  Go: ['go', 'protoc'],
  Python: ['python3'],
  Java: ['java', 'mvn'],
  TypeScript: ['npm', 'protoc'],
  'JavaScript without generated code': ['npm'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Language = keyof typeof TOOLS;

const BEGINNING = section('Before you begin');

/** The page has this done in the folder in which the service was started. */
export const PREPARATION = `pushd "$LATCHKEY" >/dev/null\n${BEGINNING.script}\npopd >/dev/null\n`;

/** What every client prints. */
export const OUTPUT = BEGINNING.output;

export class PageClients {
  readonly #checkout = mkdtempSync(join(tmpdir(), 'latchkey-checkout-'));
  readonly #clients = new Map<Language, Promise<BuiltClient>>();
  #dev: Started | undefined;
  #env: Readonly<Record<string, string>> = {};

  /** Starts the service, and begins with all clients at once: they wait for downloads most of the time. */
  async start(languages: readonly Language[]): Promise<void> {
    const dataDir = join(this.#checkout, '.latchkey');
    mkdirSync(dataDir);
    symlinkSync(join(ROOT, 'proto'), join(this.#checkout, 'proto'));
    const anywhere = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0' };
    this.#dev = await start('dev', 'gateway listening', { env: { ...anywhere, DATA_DIR: dataDir } });
    const { addresses } = this.#dev.lines().find(({ msg }) => msg === 'service listening') as {
      addresses: readonly { host: string; port: number }[];
    };
    this.#env = { LATCHKEY: this.#checkout, AUTH_SERVICE_ADDRESS: `127.0.0.1:${addresses[0]?.port}` };
    for (const language of languages) {
      const client = this.#build(language);
      client.catch(() => {});
      this.#clients.set(language, client);
    }
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#clients.values());
    await this.#dev?.stop();
    rmSync(this.#checkout, { recursive: true, force: true });
  }

  /** A client and what its commands printed. Skips the test where they cannot run. */
  async printed(test: Mocha.Context, language: Language): Promise<BuiltClient> {
    try {
      const client = await this.#clients.get(language);
      if (client === undefined) throw new Error(`the commands for ${language} were not run`);
      return client;
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error;
      if (test.test) test.test.title += ` (skipped: ${error.message})`;
      return test.skip();
    }
  }

  async #build(language: Language): Promise<BuiltClient> {
    const tools: readonly string[] = TOOLS[language];
    const borrowed = tools.includes('protoc') ? await this.#clientWithProtoc() : undefined;
    const versions = needTools(...tools.filter((tool) => tool !== 'protoc' || borrowed === undefined));
    const env = { ...this.#env, ...pathTo(borrowed?.place) };
    return clientOf({ language, section: section(language), versions, env, preparation: PREPARATION });
  }

  /** Where there is no protoc, the client in Python, which has one. */
  async #clientWithProtoc(): Promise<BuiltClient | undefined> {
    const python = runs('protoc') || !runs('python3') ? undefined : await this.#clients.get('Python');
    if (python !== undefined) addProtoc(python.place);
    return python;
  }
}

/** Defines the test of the commands of each language, and what starts and ends the clients around all tests. */
export function itRunsTheCommandsOf(languages: readonly Language[]): PageClients {
  const clients = new PageClients();
  before(() => clients.start(languages));
  after(() => clients.stop());
  for (const language of languages) {
    it(`${language}: its commands make a client that logs in, refreshes, logs out and reads error details`, async function () {
      const { output } = await clients.printed(this, language);
      // The tools print lines of their own before, and Maven colours.
      expect(stripVTControlCharacters(output).slice(-OUTPUT.length)).to.equal(OUTPUT);
    });
  }
  return clients;
}
