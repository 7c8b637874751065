// Tests of the command line: its help, its errors, and what it refuses to start.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { generateKey } from '../../src/adapters/jwt/key-files.js';
import { failureOf } from '../../src/commands/failure.js';
import { commandHere } from '../support/command-here.js';
import { serveInProcess } from '../support/in-process.js';
import { type CommandEnd, JWT_SECRET, runCommand, startGateway, startServe } from '../support/processes.js';
import { RedisServer } from '../support/redis-server.js';

/** How a service that cannot start ends, in the test's own process: its error as a command that ends at once writes it. */
async function serveFails(env: Readonly<Record<string, string>>): Promise<CommandEnd> {
  const failure = await serveInProcess(env).then(
    async (served) => {
      await served.stop();
      return undefined;
    },
    (error: unknown) => failureOf(error),
  );
  return { code: failure?.exitCode ?? 0, stdout: '', stderr: failure?.message ?? '' };
}

describe('latchkey', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-commands-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints its usage and its version', async () => {
    const help = await runCommand(['--help']);
    expect(help.code).to.equal(0);
    for (const command of ['dev', 'serve', 'gateway', 'token issue', 'token inspect']) {
      expect(help.stdout).to.include(`latchkey ${command}`);
    }
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect((await runCommand(['--version'])).stdout).to.equal(`${version}\n`);
    expect(await commandHere(['--help'])).to.deep.equal(help);
  });

  it('says what it does not know, and where help is', async () => {
    const wrong = [
      [],
      ['frobnicate'],
      ['serve', 'extra'],
      ['--nonsense'],
      ['token'],
      ['token', 'issue'],
      ['token', 'inspect'],
      ['serve', '--subject', 'x'],
      ['gateway', '--claims', '{}'],
      ['dev', '--claims', '{"role":"admin"}'],
      ['token', 'inspect', 'x', '--subject', 'x'],
    ];
    for (const args of wrong) {
      const { code, stderr } = await commandHere(args);
      expect(code, args.join(' ')).to.equal(2);
      expect(stderr, args.join(' ')).to.include('latchkey --help').and.not.include('    at ');
    }
  });

  it('has `help`, of everything and of one command', async () => {
    const [flag, word] = [await commandHere(['--help']), await commandHere(['help'])];
    expect(word).to.deep.equal(flag);
    const { code, stdout } = await commandHere(['help', 'token', 'issue']);
    expect(code).to.equal(0);
    expect(stdout)
      .to.include('latchkey token issue --subject')
      .and.not.include('token inspect')
      .and.not.include('serve');
    expect((await commandHere(['help', 'keys'])).stdout)
      .to.include('keys list')
      .and.include('keys retire');
    expect(await commandHere(['help', 'frobnicate'])).to.include({ code: 2, stdout: '' });
  });

  it('suggests the command that was meant', async () => {
    for (const [given, meant] of [
      ['token isue', 'token issue'],
      ['tokn issue', 'token issue'],
      ['key list', 'keys list'],
      ['keys retier KID', 'keys retire'],
      ['issue', 'token issue'],
      ['sevre', 'serve'],
      ['help gatway', 'gateway'],
      ['keyz', 'keys'],
      ['help tokens', 'token'],
    ] as const) {
      const { code, stderr } = await commandHere(given.split(' '));
      expect(code, given).to.equal(2);
      expect(stderr, given).to.include(`; did you mean ${meant}?`);
    }
    const wrong = ['sevre'];
    expect(await commandHere(wrong)).to.deep.equal(await runCommand(wrong));
    expect((await commandHere(['token'])).stderr).to.include('there are: token issue, token inspect');
    expect((await commandHere(['frobnicate'])).stderr).to.not.include('did you mean');
  });

  it('warns of misspelt variables and of odd ends of secrets, in every command, and never shows a value', async () => {
    const odd = { ACESS_TTL: 'sesame', JWT_SECRET: `${JWT_SECRET}\n`, REDIS_PORT: 'tcp://10.0.0.1:6379' };
    const expected = [
      'ACESS_TTL: there is no such setting, so it has no effect; did you mean ACCESS_TTL?',
      'JWT_SECRET: the value has a line feed at its end; take that out unless it is meant',
    ];
    const served = await startServe({ env: { ...odd, DATA_DIR: join(folder, 'odd') } });
    const warnings = served.lines().filter(({ level }) => level === 'warn');
    expect(await served.stop()).to.equal(0);
    expect(warnings.map(({ detail }) => detail).sort()).to.deep.equal(expected);
    expect(served.output()).to.not.include('sesame').and.not.include(JWT_SECRET);

    const gateway = await startGateway('127.0.0.1:1', { env: odd });
    expect(gateway.lines().filter(({ level }) => level === 'warn')).to.have.length(1);
    expect(await gateway.stop()).to.equal(0);

    const { stderr } = await runCommand(['keys', 'generate'], { ...odd, JWT_KEYS_DIR: join(folder, 'made') });
    expect(stderr).to.equal(`latchkey: warning: ${expected[0]}\n`);
    const refused = await commandHere(['serve'], { JWT_SECERT: 'sesame', DATA_DIR: folder });
    expect(refused.stderr).to.include('did you mean JWT_SECRET?').and.not.include('sesame');
  });

  it('says the same of an unusable data folder in `dev` as in `serve`, without a stack and without a loop', async () => {
    const closed = join(folder, 'closed');
    writeFileSync(closed, '');
    const addresses = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0' };
    for (const DATA_DIR of ['/proc/latchkey', closed, join(closed, 'below')]) {
      const env = { ...addresses, DATA_DIR, JWT_SECRET };
      // One folder goes to processes of their own, which take half a second each.
      const isOwn = DATA_DIR === closed;
      const serve = await (isOwn ? runCommand(['serve'], env) : serveFails(env));
      const dev = await (isOwn ? runCommand(['dev'], env) : commandHere(['dev'], env));
      for (const { code, stderr } of [serve, dev]) {
        expect(code).to.equal(1);
        expect(stderr).to.include(`the data folder ${DATA_DIR} cannot be used: E`).and.include('set DATA_DIR to');
        expect(stderr).to.not.include('    at ');
      }
    }
  });

  it('says what of the data folder `dev` cannot write its own files to', async function () {
    const mounted = mkdtempSync(join(folder, 'read-only-'));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'data', mounted]).status !== 0) this.skip();
    try {
      const { code, stderr } = await commandHere(['dev'], { DATA_DIR: mounted });
      expect(code).to.equal(1);
      expect(stderr)
        .to.match(/the data folder \S+ cannot be used: EROFS: .*; set DATA_DIR to/)
        .and.not.include('    at ');
    } finally {
      spawnSync('umount', [mounted]);
    }
  });

  it('refuses to serve with wrong settings, and names all of them', async () => {
    const { code, stderr } = await runCommand(['serve'], { ACCESS_TTL: 'x', JWT_SECRET: 'short' });
    expect(code).to.equal(1);
    for (const name of ['ACCESS_TTL', 'JWT_SECRET', 'REDIS_URL or DATA_DIR']) expect(stderr).to.include(name);
    expect(stderr).to.not.include('    at ');
  });

  it('names an unusable REDIS_URL among the others, without a stack', async () => {
    const { code, stderr } = await commandHere(['serve'], { REDIS_URL: 'redis://:sesame@127.0.0.1/abc' });
    expect(code).to.equal(1);
    for (const name of ['REDIS_URL', 'JWT_KEYS_DIR']) expect(stderr).to.include(name);
    expect(stderr).to.not.include('    at ').and.not.include('sesame');
  });

  it('warns of a port for the issuer on which nothing will listen', async () => {
    const settings = {
      DATA_DIR: join(folder, 'apart'),
      JWT_SECRET,
      ISSUER_ADDRESS: '127.0.0.1:0',
      ISSUER_TOKEN: 'short',
    };
    const served = await startServe({ env: settings });
    const warnings = served.lines().filter(({ level }) => level === 'warn');
    expect(await served.stop()).to.equal(0);
    expect(warnings).to.have.length(1);
    expect(warnings[0]?.['msg']).to.match(/ISSUER_TOKEN.*ISSUER_ADDRESS/);
  });

  it('refuses a key that everybody may read, and says how to mend it', async () => {
    const keys = join(folder, 'keys');
    generateKey(keys, 'one');
    chmodSync(join(keys, 'one.pem'), 0o644);
    const { code, stderr } = await serveFails({ DATA_DIR: join(folder, 'data'), JWT_KEYS_DIR: keys });
    expect(code).to.equal(1);
    expect(stderr).to.include('chmod o=').and.not.include('    at ');
  });

  it('refuses a Redis that may evict, says the command that mends it, and obeys ALLOW_UNSAFE_STORE', async () => {
    const redis = await RedisServer.start('--maxmemory-policy', 'allkeys-lru');
    try {
      const env = { REDIS_URL: redis.url, JWT_SECRET };
      const { code, stderr, stdout } = await runCommand(['serve'], { ...env, GRPC_ADDRESS: '127.0.0.1:0' });
      expect(code).to.equal(1);
      expect(stderr + stdout).to.include('CONFIG SET maxmemory-policy noeviction');
      const served = await serveInProcess({ ...env, ALLOW_UNSAFE_STORE: 'true' });
      expect(await served.stop()).to.equal(0);
    } finally {
      await redis.stop();
    }
  });

  it('says which address is taken', async () => {
    const env = { DATA_DIR: join(folder, 'taken'), JWT_SECRET };
    const first = await serveInProcess(env);
    try {
      const { code, stderr } = await serveFails({ ...env, GRPC_ADDRESS: first.address });
      expect(code).to.equal(1);
      expect(stderr).to.include(`cannot listen on ${first.address}`).and.not.include('    at ');
    } finally {
      expect(await first.stop()).to.equal(0);
    }
  });

  it('says of a service that cannot be reached where it was sought, and what to do', async () => {
    const ISSUER_TOKEN = 'x'.repeat(40);
    for (const [variable, address] of [
      ['AUTH_SERVICE_ADDRESS', '127.0.0.1:1'],
      ['ISSUER_ADDRESS', '127.0.0.1:2'],
      ['AUTH_SERVICE_ADDRESS', 'nowhere.invalid:50051'],
    ] as const) {
      const { code, stderr } = await commandHere(['token', 'issue', '--subject', 'x'], {
        ISSUER_TOKEN,
        [variable]: address,
      });
      expect(code).to.equal(1);
      expect(stderr).to.include(`no service can be reached at ${address}`).and.include(variable);
      expect(stderr).to.not.include('Resolution note').and.not.include('    at ');
    }
  });
});
