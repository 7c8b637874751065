// Tests that processes which serve keep no secret in their environment, by the reports that Node writes of them.

import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TestClient } from '../support/auth-client.js';
import { JWT_SECRET, type Started, start, startServe } from '../support/processes.js';
import { until } from '../support/waiting.js';

const SECRETS = {
  ISSUER_TOKEN: 'sesame, a credential of the login back end',
  ISSUER_TOKENS: 'sesame-another-credential-of-the-login-back-end',
  REVOKER_TOKEN: 'sesame, a credential to revoke subjects by',
  REVOKER_TOKENS: 'sesame-another-credential-to-revoke-subjects-by',
  JWT_SECRET: `sesame ${JWT_SECRET}`,
  JWT_SECRET_FALLBACK: `sesame, of before ${JWT_SECRET}`,
};

/** The last bytes of a file: a snapshot of the heap has tens of megabytes. */
function endOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(100);
    const from = Math.max(0, fstatSync(file).size - buffer.length);
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, from));
  } finally {
    closeSync(file);
  }
}

describe('a process that serves', () => {
  let folder: string;
  let started: Started | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-environment-'));
  });
  afterEach(async () => {
    await started?.stop();
    rmSync(folder, { recursive: true });
  });

  /** What Node writes down of the process when it is asked to; it would of its own in a crash. */
  async function dumpOf(pid: number, ending: string, signal: NodeJS.Signals = 'SIGUSR2'): Promise<string> {
    process.kill(pid, signal);
    const find = (): string | undefined =>
      readdirSync(folder).find((each) => each.endsWith(ending) && each.includes(`.${pid}.`));
    const isWhole = (): boolean => {
      const name = find();
      // Its last line closes it.
      return name !== undefined && /(?:\n|"\])\}\s*$/.test(endOf(join(folder, name)));
    };
    await until(isWhole, undefined, { seen: () => readdirSync(folder) });
    return readFileSync(join(folder, find() ?? ''), 'utf8');
  }

  const CASES = [
    ['serve', 'service listening', {}],
    // No Redis is there, and the process serves all the same.
    ['serve with Redis', 'service listening', { DATA_DIR: '', REDIS_URL: 'redis://user:sesame@127.0.0.1:1' }],
    ['dev', 'gateway listening', { HTTP_ADDRESS: '127.0.0.1:0' }],
  ] as const;

  for (const [how, ready, more] of CASES) {
    it(`(${how}) holds no secret in its environment once it has read them`, async () => {
      const report = `--report-on-signal --report-signal=SIGUSR2 --report-directory=${folder}`;
      const env = { GRPC_ADDRESS: '127.0.0.1:0', DATA_DIR: join(folder, 'data'), NODE_OPTIONS: report, ...SECRETS };
      started = await start(how.split(' ')[0] ?? '', ready, { env: { ...env, ...more } });
      const found = JSON.parse(await dumpOf(started.child.pid ?? 0, '.json')).environmentVariables;
      expect(found).to.include({ GRPC_ADDRESS: '127.0.0.1:0' });
      expect(found).to.not.have.any.keys('REDIS_URL', ...Object.keys(SECRETS));
      expect(JSON.stringify(found)).to.not.include('sesame');
    });
  }

  it('holds no secret in its memory as a text: credentials are digests there, and keys are with the system', async function () {
    this.timeout(120_000);
    const dump = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`;
    const env = { DATA_DIR: join(folder, 'data'), JWT_ISSUER: 'https://awake.example', NODE_OPTIONS: dump, ...SECRETS };
    started = await startServe({ env });
    const client = new TestClient(started.address);
    await client.issue('alice', {}, SECRETS.ISSUER_TOKEN);
    client.close();
    const heap = await dumpOf(started.child.pid ?? 0, '.heapsnapshot');
    expect(heap.includes('https://awake.example'), 'awake').to.equal(true);
    for (const [name, secret] of Object.entries(SECRETS)) expect(heap.includes(secret), name).to.equal(false);
  });

  it('(serve with workers) reads secrets from files once, and hands them to workers, which read no file', async function () {
    this.timeout(120_000);
    const files = Object.entries({ JWT_SECRET: SECRETS.JWT_SECRET, ISSUER_TOKEN: SECRETS.ISSUER_TOKEN }).map(
      ([name, value]) => {
        const path = join(folder, name.toLowerCase());
        writeFileSync(path, `${value}\n`, { mode: 0o600 });
        return [`${name}_FILE`, path] as const;
      },
    );
    const reports = `--report-on-signal --report-signal=SIGUSR2 --report-directory=${folder}`;
    const env = { GRPC_ADDRESS: '127.0.0.1:0', DATA_DIR: join(folder, 'data'), WORKERS: '2', NODE_OPTIONS: reports };
    const all = { ...env, ...Object.fromEntries(files) };
    started = await start('serve', 'the workers have started', { env: all, readyMs: 40_000 });
    for (const [, path] of files) rmSync(path);
    const client = new TestClient(started.address);
    await client.issue('alice', {}, SECRETS.ISSUER_TOKEN);
    // A worker that comes later has them, too, although the files are gone.
    const before = started.lines().filter(({ msg }) => msg === 'service listening').length;
    started.child.kill('SIGHUP');
    await until(() => started?.output().includes('all workers have been replaced') ?? false, 40_000);
    expect(started.lines().filter(({ msg }) => msg === 'service listening').length).to.equal(before + 2);
    await client.issue('alice', {}, SECRETS.ISSUER_TOKEN);
    client.close();
    const found = JSON.parse(await dumpOf(started.child.pid ?? 0, '.json')).environmentVariables;
    expect(found).to.not.have.any.keys('JWT_SECRET', 'JWT_SECRET_FILE', 'ISSUER_TOKEN', 'ISSUER_TOKEN_FILE');
  });

  it('(serve with workers) hands its secrets over by no environment and no argument; workers keep no text of them', async function () {
    this.timeout(120_000);
    const dumps = `--report-on-signal --report-signal=SIGUSR2 --report-directory=${folder}`;
    const heaps = `--heapsnapshot-signal=SIGPWR --diagnostic-dir=${folder}`;
    const env = { GRPC_ADDRESS: '127.0.0.1:0', DATA_DIR: join(folder, 'data'), WORKERS: '2' };
    const all = { ...env, NODE_OPTIONS: `${dumps} ${heaps}`, ...SECRETS };
    started = await start('serve', 'the workers have started', { env: all, readyMs: 40_000 });
    const primary = started.child.pid ?? 0;
    const listeningLines = () => started?.lines().filter(({ msg }) => msg === 'service listening') ?? [];
    // The primary's line may come before the one of its last worker.
    await until(() => listeningLines().length === 2, 30_000);
    const listening = listeningLines();
    const workers = listening.map(({ pid }) => Number(pid));
    expect(workers).to.have.length(2);
    for (const pid of [primary, ...workers]) {
      const found = JSON.parse(await dumpOf(pid, '.json')).environmentVariables;
      expect(found).to.include({ GRPC_ADDRESS: '127.0.0.1:0' });
      expect(JSON.stringify(found)).to.not.include('sesame');
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).to.not.include('sesame');
    }
    for (const pid of workers) {
      // What the system shows of a start: of the primary's it is what it was started with, of a worker's nothing.
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).to.not.include('sesame');
      const heap = await dumpOf(pid, '.heapsnapshot', 'SIGPWR');
      for (const [name, secret] of Object.entries(SECRETS)) expect(heap.includes(secret), name).to.equal(false);
    }
  });
});
