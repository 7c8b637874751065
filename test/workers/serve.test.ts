// Tests of what `serve` with several workers is to its callers and its operator: one port, one life, one fault.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { claimsOf } from '../e2e/tokens.js';
import { CallFailed } from '../support/auth-client.js';
import { commandHere } from '../support/command-here.js';
import { ISSUER_TOKEN, JWT_SECRET, launch, runCommand, type StartOptions } from '../support/processes.js';
import { until } from '../support/waiting.js';
import { CREW_MS, Crew, isAlive } from './crew.js';

const ROUNDS = 20;
const AT_ONCE = 8;

type Env = Readonly<Record<string, string>>;

describe('serve with workers', function () {
  this.timeout(2 * CREW_MS);
  const stage = new Stage();
  afterEach(() => stage.clear());
  /** What several tests of a describe use, which ends it after them. */
  const shared = new Stage();

  async function crewOn(env: Env, options: Partial<StartOptions> = {}, owner = stage): Promise<Crew> {
    const crew = await Crew.start({ ...options, env });
    owner.owns(() => crew.clear());
    return crew;
  }

  const onFolder = async (env: Env = {}, options: Partial<StartOptions> = {}) =>
    crewOn({ DATA_DIR: await stage.folder(), ...env }, options);

  /** Asks over new connections until some workers have answered. */
  async function reaches(crew: Crew, workers: readonly number[]): Promise<void> {
    const reached = new Set<number>();
    await until(async () => {
      reached.add(await crew.answering());
      return workers.every((worker) => reached.has(worker));
    }, CREW_MS);
  }

  /** Has all clients refresh at once, again and again. @param issuer where tokens are issued */
  async function refreshAtOnce(crew: Crew, issuer = crew.address): Promise<void> {
    const logins = crew.client(issuer);
    const clients = Array.from({ length: AT_ONCE }, () => crew.client());
    const [first] = clients;
    for (let round = 0; round < ROUNDS; round++) {
      const pair = await logins.issue(`user ${round}`);
      const answers = await Promise.all(clients.map((client) => client.refresh(pair.refreshToken)));
      expect(new Set(answers.map(({ refreshToken }) => refreshToken)).size).to.equal(1);
      const [next] = answers;
      expect(claimsOf(next?.refreshToken ?? '')['gen']).to.equal(1);
      await first?.logout({ refreshToken: next?.refreshToken ?? '' });
      const verdicts = clients.map((client) => client.verdict(next?.accessToken ?? ''));
      expect(new Set(await Promise.all(verdicts))).to.deep.equal(new Set(['REVOKED']));
    }
    const refreshed = crew.said('call').filter(({ method }) => method === 'RefreshToken');
    expect(new Set(refreshed.map(({ worker }) => worker))).to.deep.equal(new Set([1, 2]));
  }

  /** Sends the whole group a signal, and waits for its end. */
  async function endsByGroup(crew: Crew, signal: NodeJS.Signals): Promise<void> {
    const { child } = crew.process;
    process.kill(-(child.pid ?? 0), signal);
    await until(() => child.exitCode !== null, CREW_MS);
    expect(child.exitCode).to.equal(0);
    expect(crew.living).to.deep.equal([]);
    expect(crew.said('service stopped')).to.have.length(2);
    expect(crew.said('a worker has ended')).to.deep.equal([]);
  }

  // In each describe with a shared crew the last test ends the crew.
  describe('on one data folder', () => {
    const keys = { JWT_KEYS_DIR: '', JWT_KEY_DELAY: '0s' };
    let crew: Crew;
    before(async () => {
      keys.JWT_KEYS_DIR = await shared.folder();
      expect((await commandHere(['keys', 'generate'], keys)).code).to.equal(0);
      const more = { ISSUER_ADDRESS: '127.0.0.1:0', LOG_LEVEL: 'debug', REFRESH_GRACE: '60s' };
      const env = { DATA_DIR: await shared.folder(), JWT_SECRET: '', ...keys, ...more };
      crew = await crewOn(env, { leads: true }, shared);
    });
    after(() => shared.clear());

    it('serves on one port from all of them, and says which one answers, in health and in each line of the log', async () => {
      await reaches(crew, [1, 2]);
      const [ports, others] = listenedOn(crew);
      expect(ports).to.deep.equal(others);
      // The issuer's port is the issuer's in both.
      const [auth, issuer] = (ports ?? []).map((address) => crew.client(address));
      for (let n = 0; n < AT_ONCE; n++) {
        expect(await auth?.verdict((await issuer?.issue())?.accessToken ?? '')).to.equal('active');
        const code = await crew.client().issue().catch(codeOf);
        expect(code).to.equal('UNIMPLEMENTED');
      }
      const { pid } = crew.process.child;
      const byWorkers = crew.process.lines().filter((line) => line['pid'] !== pid);
      expect(byWorkers.length).to.be.above(AT_ONCE);
      expect(byWorkers.filter((line) => crew.pids.get(Number(line['worker'])) !== line['pid'])).to.deep.equal([]);
    });

    it('gives all who refresh at once the one successor, whichever worker they reach', () =>
      refreshAtOnce(crew, listenedOn(crew)[0]?.[1]));

    it('follows the key files in each worker', async () => {
      // Each has said it of its first key, too.
      const signing = () => crew.said('this key now signs new tokens');
      const before = signing().length;
      expect((await commandHere(['keys', 'rotate'], keys)).code).to.equal(0);
      await until(() => signing().length >= before + 2, CREW_MS);
      const later = signing().slice(before);
      expect(new Set(later.map(({ worker }) => worker))).to.deep.equal(new Set([1, 2]));
    });

    it('ends in order when the whole group gets SIGINT, as from a terminal, and does not take it for crashes', () =>
      endsByGroup(crew, 'SIGINT'));
  });

  describe('on one Redis', () => {
    let crew: Crew;
    before(async () => {
      crew = await crewOn({ REDIS_URL: (await shared.redis()).url, REFRESH_GRACE: '60s' }, {}, shared);
    });
    after(() => shared.clear());

    it('gives all who refresh at once the one successor, whichever worker they reach', () => refreshAtOnce(crew));

    it('ends at once on the second signal, and leaves no process behind', async () => {
      const client = crew.client();
      const { refreshToken } = await client.issue();
      // A call that does not end by itself keeps the workers from ending.
      const pids = [...crew.pids.values()];
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      const call = client.refresh(refreshToken).catch(codeOf);
      crew.signal('SIGTERM');
      await until(() => crew.said('stopping').length > 0, CREW_MS);
      crew.signal('SIGTERM');
      await until(() => crew.process.child.exitCode !== null, 30_000);
      expect(crew.process.child.exitCode).to.equal(1);
      await until(() => !pids.some(isAlive), 30_000);
      expect(await call).to.equal('UNAVAILABLE');
    });
  });

  describe('of which processes are killed', () => {
    let crew: Crew;
    before(async () => {
      crew = await crewOn({ DATA_DIR: await shared.folder() }, {}, shared);
    });
    after(() => shared.clear());

    it('goes on when one is killed, keeps no caller waiting for the dead one, and has another in its place', async () => {
      for (let kills = 0; kills < 3; kills++) {
        const [worker = 0] = crew.living;
        const pid = crew.pids.get(worker) ?? 0;
        process.kill(pid, 'SIGKILL');
        await until(() => !isAlive(pid), CREW_MS);
        // Its primary may not know it yet, and hand it a connection: that one is closed, and its caller comes again.
        const startMs = performance.now();
        await until(async () => (await crew.answering().catch(() => worker)) !== worker, CREW_MS);
        expect(performance.now() - startMs).to.be.below(5_000);
        await until(() => crew.living.length === 2, CREW_MS);
        const line = crew.said('a worker has ended').at(-1);
        expect(line).to.include({ level: 'error', worker, workerPid: pid, signal: 'SIGKILL' });
      }
      await reaches(crew, crew.living);
    });

    it('ends when its primary was killed: what was accepted is answered, and no process is left', async () => {
      const clients = Array.from({ length: AT_ONCE }, () => crew.client());
      const calls = clients.map((client) => client.issue());
      await Promise.all(calls);
      const pids = [...crew.pids.values()];
      crew.signal('SIGKILL');
      await until(() => !pids.some(isAlive), CREW_MS);
      // What they wrote at their end may still be on its way to here.
      await until(() => crew.said('service stopped').length === 2, CREW_MS);
      expect(crew.said('stopping').map(({ reason }) => reason)).to.deep.equal(Array(2).fill('the primary is gone'));
    });
  });

  it('ends in order on SIGTERM, with all workers, and answers what is under way', async () => {
    const crew = await onFolder();
    const clients = Array.from({ length: AT_ONCE }, () => crew.client());
    let answered = 0;
    const calls = clients.map(async (client) => {
      for (;;) {
        await client.issue();
        answered++;
      }
    });
    const ends = calls.map((call) => call.catch(codeOf));
    await until(() => answered > 20, CREW_MS);
    const pids = [...crew.pids.values()];
    expect(await crew.process.stop()).to.equal(0);
    expect(pids.filter(isAlive)).to.deep.equal([]);
    expect(new Set(await Promise.all(ends))).to.deep.equal(new Set(['UNAVAILABLE']));
    expect(crew.said('service stopped')).to.have.length(2);
    const done = crew.said('call').filter(({ method, status }) => method === 'IssueToken' && status === 'OK');
    expect(done).to.have.length(answered);
  });

  it('ends in order when the whole group gets SIGTERM, as from a terminal, and does not take it for crashes', async () =>
    endsByGroup(await onFolder({}, { leads: true }), 'SIGTERM'));

  it('is one process where WORKERS is 1', async () => {
    const node = await stage.serve(await stage.folder(), { WORKERS: '1' });
    expect(readFileSync(`/proc/${node.process.child.pid}/task/${node.process.child.pid}/children`, 'utf8')).to.equal(
      '',
    );
    expect(node.process.lines().every((line) => line['worker'] === undefined)).to.equal(true);
  });

  it('leaves no worker behind that was on its way when the primary was killed', async () => {
    // The way to a store that says nothing is long.
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    stage.owns(() => mute.close());
    const { port } = mute.address() as AddressInfo;
    const env = { GRPC_ADDRESS: '127.0.0.1:0', WORKERS: '2', JWT_SECRET, REDIS_URL: `redis://127.0.0.1:${port}` };
    const { child: primary } = launch(['serve'], { env });
    stage.owns(() => primary.kill('SIGKILL'));
    const connected = once(mute, 'connection');
    await connected;
    const [pid = 0] = readFileSync(`/proc/${primary.pid}/task/${primary.pid}/children`, 'utf8').split(' ').map(Number);
    stage.owns(() => isAlive(pid) && process.kill(pid, 'SIGKILL'));
    expect(isAlive(pid), 'awake').to.equal(true);
    primary.kill('SIGKILL');
    await until(() => !isAlive(pid), 30_000);
  });

  describe('that cannot start', () => {
    /** Runs it to its end. */
    const fails = async (env: Readonly<Record<string, string>>) => {
      const whole = { GRPC_ADDRESS: '127.0.0.1:0', WORKERS: '3', JWT_SECRET, ISSUER_TOKEN, ...env };
      const { code, stdout, stderr } = await runCommand(['serve'], whole);
      expect(code).to.equal(1);
      expect(stdout.match(/a worker has ended|service listening/g)).to.equal(null);
      return stderr
        .trimEnd()
        .split('\n')
        .map((line) => String((JSON.parse(line) as { detail: unknown }).detail));
    };

    it('since its address is in use says so once, and ends with 1', async () => {
      const other = await stage.serveHere(await stage.folder());
      const lines = await fails({ DATA_DIR: await stage.folder(), GRPC_ADDRESS: other.process.address });
      expect(lines).to.have.length(1);
      expect(lines[0]).to.match(/^GRPC_ADDRESS: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
    });

    it('since a key file is missing, or its store may evict, says so once, and ends with 1', async () => {
      const keys = { JWT_SECRET: '', JWT_KEYS_DIR: await stage.folder() };
      const noKeys = await fails({ DATA_DIR: await stage.folder(), ...keys });
      expect(noKeys).to.have.length(1);
      expect(noKeys[0]).to.contain('no file that ends in .pem');
      const redis = await stage.redis('--maxmemory-policy', 'allkeys-lru');
      const unsafe = await fails({ REDIS_URL: redis.url });
      expect(unsafe).to.have.length(1);
      expect(unsafe[0]).to.contain('noeviction');
    });
  });

  it('has no command by which an operator starts a worker', async () => {
    const { code, stderr } = await runCommand(['worker'], { JWT_SECRET });
    expect(code).to.equal(2);
    expect(stderr).to.contain('only `serve` starts a worker');
  });
});

/** The addresses that each worker listens on: the service's, and the issuer's if it is apart. */
const listenedOn = (crew: Crew): string[][] =>
  crew
    .said('service listening')
    .map(({ addresses }) => (addresses as { port: number }[]).map(({ port }) => `127.0.0.1:${port}`));

/** The code of a failed call. @throws whatever else failed */
function codeOf(error: unknown): string {
  if (error instanceof CallFailed) return error.failure.code;
  throw error;
}
