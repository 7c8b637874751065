// Tests of the probes at HEALTH_ADDRESS: alive whatever the store does, ready once it was reached.

import { once } from 'node:events';
import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { JWT_SECRET, type Started, start, startServe } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import { CREW_MS, Crew } from '../workers/crew.js';
import { probe, SEEN } from './scrape.js';

/** Keeps a process that has stopped until SIGUSR2, so that a probe can ask it on a busy machine. */
const HELD_EXIT = new URL('./held-exit.js', import.meta.url).href;
const OK = [200, { status: 'ok' }];
const unready = (reason: string) => [503, { status: 'unavailable', reason }];

describe('the probes of a service', () => {
  const stage = new Stage();
  let redis: RedisServer;
  let usual: Started;
  let needy: Started;
  before(async () => {
    redis = await stage.redis();
    await redis.kill();
    const env = { JWT_SECRET, REDIS_URL: redis.url, ...SEEN };
    [usual, needy] = await Promise.all([
      startServe({ env }),
      startServe({ env: { ...env, READY_NEEDS_STORE: 'true' } }),
    ]);
    stage.owns(() => Promise.all([usual.kill(), needy.kill()]));
  });
  after(() => stage.clear());

  const becomes = (process: Started, wanted: unknown): Promise<number> =>
    until(async () => JSON.stringify(await probe(process, '/readyz')) === JSON.stringify(wanted));

  it('say alive and not ready before the store was reached', async () => {
    for (const process of [usual, needy]) {
      expect(await probe(process, '/livez')).to.deep.equal(OK);
      expect(await probe(process, '/readyz')).to.deep.equal(unready('starting'));
    }
  });

  it('say ready once the store is reached, and stay so without it, unless READY_NEEDS_STORE', async () => {
    await redis.restart();
    await Promise.all([becomes(usual, OK), becomes(needy, OK)]);
    await redis.kill();
    await becomes(needy, unready('the store is not reachable'));
    expect(await probe(usual, '/readyz')).to.deep.equal(OK);
    for (const process of [usual, needy]) expect(await probe(process, '/livez')).to.deep.equal(OK);
    await redis.restart();
    await becomes(needy, OK);
  });
});

describe('the probes of a process that stops', function () {
  this.timeout(2 * CREW_MS);
  const stage = new Stage();
  afterEach(() => stage.clear());

  type Env = Readonly<Record<string, string>>;
  const preloads = [HELD_EXIT];
  const starts: Readonly<Record<string, (env: Env) => Promise<Started>>> = {
    serve: (env) => startServe({ env, preloads }),
    'serve with workers': async (env) => (await Crew.start({ env, preloads })).process,
    dev: (env) => start('dev', 'gateway listening', { env, preloads }),
  };
  for (const [name, begin] of Object.entries(starts)) {
    it(`say alive and not ready from the first moment of the stop: ${name}`, async () => {
      const ports = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', ...SEEN };
      const started = await begin({ ...ports, JWT_SECRET, DATA_DIR: await stage.folder() });
      stage.owns(() => started.kill());
      const said = (message: string) => started.lines().filter(({ msg }) => msg === message);
      await until(async () => (await probe(started, '/readyz'))[0] === 200);
      // From these words on it ends in order.
      if (name === 'dev') await until(() => started.output().includes('Latchkey is ready'));
      started.child.kill('SIGTERM');
      await until(() => said('stopping').length > 0);
      expect(await probe(started, '/readyz')).to.deep.equal(unready('stopping'));
      expect(await probe(started, '/livez')).to.deep.equal(OK);
      const ended = once(started.child, 'exit');
      const pids = new Set([started.child.pid, ...said('service listening').map(({ pid }) => Number(pid))]);
      for (const pid of pids) process.kill(pid ?? 0, 'SIGUSR2');
      expect(await ended).to.deep.equal([0, null]);
    });
  }
});
