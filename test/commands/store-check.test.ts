// Tests of `latchkey store check`: each thing that can be wrong with a real store is said, with what mends it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { RIGHTS } from '../faults/fault-scene.js';
import { commandHere } from '../support/command-here.js';
import { runCommand } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { checkStore } from '../support/store-check.js';

const PASSWORD = 'p@ss word';
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory', '256mb'];
const CLOSED = ['--requirepass', PASSWORD];

type Env = Readonly<Record<string, string>>;

describe('latchkey store check', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  const envOf = (redis: RedisServer | string, env: Env = {}): Env => ({
    REDIS_URL: typeof redis === 'string' ? redis : redis.url,
    ...env,
  });
  /** A process of its own: for what only a process shows. */
  const run = (redis: RedisServer) => runCommand(['store', 'check'], envOf(redis));
  const check = (redis: RedisServer | string, env: Env = {}) => checkStore(envOf(redis, env));
  const urlOf = (redis: RedisServer, user: string): string => `redis://${user}:sesame@127.0.0.1:${redis.port}`;

  /** One line of what is printed: `weight`, then the text. */
  const expectLine = (stdout: string, weight: string, ...texts: readonly string[]): void => {
    const lines = stdout.split('\n');
    const found = lines.findIndex((line) => line.startsWith(weight) && texts.every((text) => line.includes(text)));
    expect(found, `${weight} … ${texts.join(' … ')} in:\n${stdout}`).to.be.at.least(0);
    if (weight !== 'good') expect(lines[found + 1], 'what mends it').to.match(/^ +> \S/);
  };

  describe('of a Redis that is as it should be', () => {
    it('ends with 0, warns of nothing, and writes nothing', async () => {
      const redis = await stage.redis(...DURABLE, ...CLOSED);
      const { code, stdout, stderr } = await run(redis);
      expect([code, stderr]).to.deep.equal([0, '']);
      expect(stdout).to.not.match(/^(UNSAFE|warning|unknown)/m);
      for (const text of ['primary', 'evicts nothing', 'appendfsync always', 'room for about', 'requires a password']) {
        expectLine(stdout, 'good', text);
      }
      expect(await redis.raw.dbsize()).to.equal(0);
      expect(stdout).to.not.contain(PASSWORD).and.not.contain(encodeURIComponent(PASSWORD));
    });

    it('says from when on it vouches for sessions, once a service has begun there', async () => {
      const redis = await stage.redis(...DURABLE, ...CLOSED);
      await stage.serveHere(redis);
      const born = Number((await redis.raw.get((await redis.raw.keys('*:born'))[0] ?? ''))?.split(' ')[1]);
      expect(born).to.be.above(0);
      expectLine(
        (await check(redis)).stdout,
        'good',
        new Date(born).toISOString().slice(0, 16),
        '64 birth records, 0 missing',
      );
    });

    it('as the user of few rights ends with 0, and says what it could not ask', async () => {
      const redis = await stage.redis(...DURABLE);
      await redis.raw.acl('SETUSER', 'app', 'on', '>sesame', ...RIGHTS.split(' '));
      const { code, stdout } = await check(urlOf(redis, 'app'));
      expect(code, stdout).to.equal(0);
      expectLine(stdout, 'good', 'accepts our reads and writes');
      expectLine(stdout, 'unknown', 'SCAN');
    });
  });

  describe('of a Redis that is unsafe ends with 1 and says that', () => {
    it('it may evict, as serve does, unless that is allowed', async () => {
      const redis = await stage.redis(...DURABLE, '--maxmemory-policy', 'volatile-lru');
      const refused = await run(redis);
      expect(refused.code).to.equal(1);
      expectLine(refused.stdout, 'UNSAFE', 'volatile-lru');
      expect(refused.stdout).to.contain('redis-cli CONFIG SET maxmemory-policy noeviction');
      const allowed = await check(redis, { ALLOW_UNSAFE_STORE: 'true' });
      expect(allowed.code).to.equal(0);
      expectLine(allowed.stdout, 'warning', 'volatile-lru');
    });

    it('it is a replica, and of whom', async () => {
      const [primary, replica] = await Promise.all([stage.redis(), stage.redis()]);
      await replica.raw.replicaof('127.0.0.1', `${primary.port}`);
      const { code, stdout } = await check(replica);
      expect(code).to.equal(1);
      expectLine(stdout, 'UNSAFE', 'no primary');
      expect(stdout).to.contain(`127.0.0.1 ${primary.port}`);
    });

    it('it takes no writes now: full, without the replicas it wants, or without the right', async () => {
      const redis = await stage.redis();
      await redis.raw.config('SET', 'maxmemory', '1');
      const full = await check(redis);
      expect(full.code).to.equal(1);
      expectLine(full.stdout, 'UNSAFE', 'SET', 'OOM');
      await redis.raw.config('SET', 'maxmemory', '0', 'min-replicas-to-write', '1');
      const alone = await check(redis);
      expect(alone.code).to.equal(1);
      expectLine(alone.stdout, 'UNSAFE', 'SET', 'NOREPLICAS');
      expectLine(alone.stdout, 'warning', 'min-replicas-to-write 1', 'asynchronous');
      expect(alone.stdout).to.contain('REDIS_MIN_REPLICAS');
      await redis.raw.config('SET', 'min-replicas-to-write', '0');
      await redis.raw.acl('SETUSER', 'app', 'on', '>sesame', ...RIGHTS.split(' '), '-set');
      const unarmed = await check(urlOf(redis, 'app'));
      expect(unarmed.code).to.equal(1);
      expectLine(unarmed.stdout, 'UNSAFE', 'SET');
      expect(await redis.raw.dbsize()).to.equal(0);
    });

    it('its commands are renamed, or forbidden to the user', async () => {
      const renamed = await stage.redis('--rename-command', 'PTTL', '', '--rename-command', 'CONFIG', '');
      const { code, stdout } = await check(renamed);
      expect(code).to.equal(1);
      expectLine(stdout, 'UNSAFE', 'PTTL');
      expectLine(stdout, 'unknown', 'CONFIG GET');
      const redis = await stage.redis(...DURABLE);
      await redis.raw.acl('SETUSER', 'app', 'on', '>sesame', '~lk:1:*', '+@all', '-eval', '-evalsha');
      const scriptless = await check(urlOf(redis, 'app'));
      expect(scriptless.code).to.equal(1);
      expectLine(scriptless.stdout, 'UNSAFE', 'EVAL', 'NOPERM');
    });

    it('it does not report its policy to this user, nor what it keeps', async () => {
      const redis = await stage.redis(...DURABLE);
      await redis.raw.acl('SETUSER', 'app', 'on', '>sesame', '~lk:1:*', '+@all', '-info', '-config');
      const { code, stdout } = await check(urlOf(redis, 'app'));
      expect(code).to.equal(1);
      expectLine(stdout, 'UNSAFE', 'could not be read');
      // What mends that is a right, not another policy.
      expect(stdout).to.contain('+info').and.not.contain('CONFIG SET maxmemory-policy');
      expectLine(stdout, 'unknown', 'append-only file');
      expectLine(stdout, 'unknown', 'INFO, CONFIG GET');
    });

    it('it refuses the password, is not there, or hangs', async () => {
      const redis = await stage.redis(...CLOSED);
      const address = `127.0.0.1:${redis.port}`;
      const wrong = await check(`redis://:wrong@${address}`);
      expect(wrong.code).to.equal(1);
      expectLine(wrong.stdout, 'UNSAFE', 'WRONGPASS');
      expectLine((await check(`redis://${address}`)).stdout, 'UNSAFE', 'NOAUTH');
      redis.pause();
      const paused = await check(redis);
      expect(paused.code).to.equal(1);
      expectLine(paused.stdout, 'UNSAFE', 'took longer than 2000 ms');
      await redis.kill();
      const gone = await check(redis);
      expect(gone.code).to.equal(1);
      expectLine(gone.stdout, 'UNSAFE', 'ECONNREFUSED');
    });
  });

  describe('warns and ends with 0', () => {
    it('of snapshots alone, of nothing kept, of a log that is late', async () => {
      const snapshots = await check(await stage.redis('--save', '3600 1'));
      expect(snapshots.code).to.equal(0);
      expectLine(snapshots.stdout, 'warning', 'snapshots only');
      expect(snapshots.stdout).to.contain('redis-cli CONFIG SET appendonly yes');
      const redis = await stage.redis();
      expectLine((await check(redis)).stdout, 'warning', 'keeps nothing on disk');
      await redis.raw.config('SET', 'appendonly', 'yes');
      const late = await check(redis);
      expectLine(late.stdout, 'warning', 'appendfsync everysec');
      expect(late.stdout).to.contain('redis-cli CONFIG SET appendfsync always');
    });

    it('of an open door, of no bound on memory, of other programs, of what was evicted', async () => {
      const redis = await stage.redis('--maxmemory-policy', 'allkeys-lru', '--maxmemory', '3mb');
      const writes = redis.raw.pipeline();
      for (let i = 0; i < 400; i++) writes.set(`other ${i}`, 'x'.repeat(10_000));
      await writes.exec();
      await redis.raw.config('SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '8mb');
      const tight = await check(redis);
      expect(tight.code, tight.stdout).to.equal(0);
      expectLine(tight.stdout, 'warning', 'without a password');
      expectLine(tight.stdout, 'warning', 'of other programs');
      expectLine(tight.stdout, 'warning', 'has evicted');
      await redis.raw.config('SET', 'maxmemory', '0');
      expectLine((await check(redis)).stdout, 'warning', 'no maxmemory');
    });

    it('of replicas, which learn of it late', async () => {
      const [primary, replica] = await Promise.all([stage.redis(), stage.redis()]);
      await replica.raw.replicaof('127.0.0.1', `${primary.port}`);
      while (!(await primary.raw.info('replication')).includes('connected_slaves:1'));
      const { code, stdout } = await check(primary);
      expect(code).to.equal(0);
      expectLine(stdout, 'warning', '1 replica', 'asynchronous');
    });
  });

  describe('of a data folder', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'latchkey-check-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it('that is new says so, and makes nothing there', async () => {
      const dataDir = join(folder, 'none');
      const { code, stdout } = await checkStore({ DATA_DIR: dataDir });
      expect(code).to.equal(0);
      expectLine(stdout, 'good', 'no store', dataDir);
      expect(() => rmSync(dataDir)).to.throw('ENOENT');
    });

    it('that a service runs on says what is there, and does not disturb it', async () => {
      const { client } = await stage.serveHere(folder);
      await client.refresh((await client.issue()).refreshToken);
      const { code, stdout } = await runCommand(['store', 'check'], { DATA_DIR: folder });
      expect(code).to.equal(0);
      expectLine(stdout, 'good', 'accepts sessions', '1 entr');
      await client.logout({ refreshToken: (await client.issue()).refreshToken });
      expectLine((await runCommand(['store', 'check'], { DATA_DIR: folder })).stdout, 'good', '2 entries');
    });

    it('that holds something else ends with 1', async () => {
      mkdirSync(join(folder, 'store'));
      writeFileSync(join(folder, 'store', 'data.mdb'), 'x'.repeat(9_000));
      const { code, stdout } = await runCommand(['store', 'check'], { DATA_DIR: folder });
      expect(code).to.equal(1);
      expectLine(stdout, 'UNSAFE', 'not an LMDB database');
    });
  });

  it('asks for the settings of serve, and names what is missing', async () => {
    const { code, stderr } = await commandHere(['store', 'check']);
    expect(code).to.equal(1);
    expect(stderr).to.contain('REDIS_URL or DATA_DIR').and.not.contain('    at ');
  });
});
