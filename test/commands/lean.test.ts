// Tests that `serve` is soon there, takes little room, and needs no package that is for development.

import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../docs/markdown.js';
import { Stage } from '../e2e/stage.js';
import { ISSUER_TOKEN, JWT_SECRET, type Started, start, startServe } from '../support/processes.js';
import { cpuMsOf, cpuMsToLoad, ratioOf } from '../support/processor-time.js';
import { until } from '../support/waiting.js';
import { CREW_MS, Crew } from '../workers/crew.js';

const MIB = 1024;
const MOST_IDLE_MIB = 120;
/** CPU time until `serve` listens, in that of a process which loads gRPC's library and ends. It was 3.4 when written. */
const MOST_START_RATIO = 5;
const TRIALS = 3;
const PACKAGES = new URL('../support/loaded-packages.js', import.meta.url).href;

/** What a process holds in memory, MiB. */
const residentMib = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / MIB;

describe('serve', function () {
  this.timeout(2 * CREW_MS);
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('needs little more processor time to start than its libraries do', async () => {
    const whole: number[] = [];
    const library: number[] = [];
    for (let n = 0; n < TRIALS; n++) {
      const env = { JWT_SECRET, DATA_DIR: await stage.folder() };
      const serve = await startServe({ env, isMeasured: true });
      stage.owns(() => serve.kill());
      whole.push(cpuMsOf(serve.child.pid ?? 0));
      await serve.kill();
      library.push(await cpuMsToLoad('@grpc/grpc-js'));
    }
    expect(ratioOf(whole, library)).to.be.below(MOST_START_RATIO);
  });

  describe('by itself on Redis, and with workers on a data folder,', () => {
    const shared = new Stage();
    let file: string;
    let onRedis: Started;
    let crew: Crew;
    before(async () => {
      file = join(await shared.folder(), 'packages');
      const preloads = [PACKAGES];
      const redis = await shared.redis();
      onRedis = await startServe({ env: { JWT_SECRET, REDIS_URL: redis.url, PACKAGES_FILE: file }, preloads });
      shared.owns(() => onRedis.kill());
      crew = await Crew.start({ env: { DATA_DIR: await shared.folder(), PACKAGES_FILE: file }, preloads });
      shared.owns(() => crew.clear());
    });
    after(() => shared.clear());

    // The first one: nothing has been asked of the processes yet.
    it(`takes less than ${MOST_IDLE_MIB} MiB a process while it is idle`, () => {
      const pids = [onRedis.child.pid ?? 0, crew.process.child.pid ?? 0, ...crew.pids.values()];
      for (const pid of pids) expect(residentMib(pid)).to.be.below(MOST_IDLE_MIB);
    });

    it('loads what its store and its keys need, and no other driver; its primary loads none at all', async () => {
      /** The packages that processes of a start have loaded. */
      const loaded = async (...pids: readonly number[]): Promise<string[][]> => {
        const found = pids.map(async (pid) => {
          process.kill(pid, 'SIGUSR2');
          await until(() => existsSync(`${file}.${pid}`), CREW_MS);
          await until(() => readFileSync(`${file}.${pid}`, 'utf8').endsWith(']'), CREW_MS);
          return JSON.parse(readFileSync(`${file}.${pid}`, 'utf8')) as string[];
        });
        return Promise.all(found);
      };
      const [byRedis = []] = await loaded(onRedis.child.pid ?? 0);
      expect(byRedis).to.include.members(['ioredis', '@grpc/grpc-js']);
      // jsonwebtoken is only for keys from files. OpenTelemetry's API is only for processes with an SDK.
      expect(byRedis.filter((name) => /lmdb|jsonwebtoken|opentelemetry/.test(name))).to.deep.equal([]);
      const [primary = [], ...workers] = await loaded(crew.process.child.pid ?? 0, ...crew.pids.values());
      for (const each of workers) expect(each).to.include.members(['lmdb', '@grpc/grpc-js']).and.not.include('ioredis');
      expect(primary).to.include('pino');
      expect(primary.filter((name) => /grpc|lmdb|redis|jsonwebtoken/.test(name))).to.deep.equal([]);
    });
  });

  it('runs with the packages of production alone, by itself and with workers', async () => {
    const app = await stage.folder();
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
    };
    const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
    // A package within another one comes along with it.
    const paths = production.map(([path]) => path).filter((path) => path.lastIndexOf('node_modules/') === 0);
    expect(paths).to.include('node_modules/pino');
    expect(paths.filter((path) => /typescript|biome|mocha|chai/.test(path))).to.deep.equal([]);
    // As the Dockerfile does.
    const own = ['dist/src', 'dist/gateway', 'dist/proto', 'proto', 'package.json'];
    for (const path of [...paths, ...own]) {
      // Of optional packages only this platform's are here.
      if (existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(app, path), { recursive: true });
    }
    for (const workers of ['1', '2']) {
      const env = {
        JWT_SECRET,
        ISSUER_TOKEN,
        GRPC_ADDRESS: '127.0.0.1:0',
        DATA_DIR: join(app, 'data'),
        WORKERS: workers,
      };
      const ready = workers === '1' ? 'service listening' : 'the workers have started';
      const main = join(app, 'dist/src/main.js');
      const node = await start('serve', ready, { env, main, readyMs: CREW_MS });
      stage.owns(() => node.kill());
      const client = stage.client(node.address);
      expect(await client.verdict((await client.issue()).accessToken)).to.equal('active');
      expect(await node.stop()).to.equal(0);
    }
  });
});
