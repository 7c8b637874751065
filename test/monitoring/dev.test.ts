// Tests of the metrics of `dev`: service and gateway in one answer, and a start without them where the port is taken.

import { expect } from 'chai';
import { Stage, until } from '../e2e/stage.js';
import { start } from '../support/processes.js';
import { probe, SEEN, scrape } from './scrape.js';

const SOON_MS = 10_000;
const PORTS = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0' };

describe('latchkey dev, seen from outside', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('has the metrics of both in one answer, and the probes', async () => {
    const dev = await start('dev', 'gateway listening', { env: { ...PORTS, ...SEEN, DATA_DIR: await stage.folder() } });
    stage.owns(() => dev.kill());
    expect((await scrape(dev)).value('latchkey_signing_key_age_seconds')).to.be.above(0);
    await fetch(`http://${dev.address}/healthz`);
    const requests = ['latchkey_http_duration_seconds_count', { route: '/healthz' }] as const;
    await until(async () => (await scrape(dev)).value(...requests) === 1, SOON_MS);
    await until(async () => (await probe(dev, '/readyz'))[0] === 200, SOON_MS);
  });

  it('starts without metrics where the default address is taken, and says so; a chosen one must be free', async () => {
    // By default both use 127.0.0.1:9464; whichever comes first has it, or a process of the machine.
    const env = async () => ({ ...PORTS, METRICS_ADDRESS: '', DATA_DIR: await stage.folder() });
    const devs = [];
    for (let n = 0; n < 2; n++) {
      const dev = await start('dev', 'gateway listening', { env: await env() });
      stage.owns(() => dev.kill());
      devs.push(dev);
    }
    const said = devs
      .at(-1)
      ?.lines()
      .find(({ msg }) => msg === 'metrics are not served');
    expect(said).to.include({ level: 'warn' });
    expect(said?.['detail'])
      .to.include('METRICS_ADDRESS: cannot listen on 127.0.0.1:9464')
      .and.to.include('EADDRINUSE');
    const chosen = start('dev', 'gateway listening', { env: { ...(await env()), METRICS_ADDRESS: '127.0.0.1:9464' } });
    const failure = await chosen.then(
      () => 'started',
      (error: unknown) => String(error),
    );
    expect(failure).to.include('dev cannot start').and.to.include('METRICS_ADDRESS');
  });
});
