// Tests of the probes at HEALTH_ADDRESS: alive whatever the store does, ready once it was reached.

import { expect } from 'chai';
import { Probes } from '../../src/commands/monitoring.js';
import { createLogger } from '../../src/platform/log.js';
import { Stage, until } from '../e2e/stage.js';
import { JWT_SECRET, type Started, startServe } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { probe, SEEN } from './scrape.js';

const SOON_MS = 10_000;
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
    until(async () => JSON.stringify(await probe(process, '/readyz')) === JSON.stringify(wanted), SOON_MS);

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

  it('say not ready from the first moment of a stop, whatever the store does', async () => {
    const address = { host: '127.0.0.1', port: 0 };
    const probes = await Probes.start({ address, needsStore: false }, createLogger({ name: 'test', level: 'silent' }));
    probes.follow({ hasServed: true, reachesStore: true });
    expect(await ready(probes)).to.deep.equal(OK);
    probes.retire();
    expect(await ready(probes)).to.deep.equal(unready('stopping'));
    probes.close();
  });
});

async function ready({ address }: Probes): Promise<unknown> {
  const response = await fetch(`http://${address?.host}:${address?.port}/readyz`);
  return [response.status, await response.json()];
}
