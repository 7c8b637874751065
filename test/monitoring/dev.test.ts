// Tests of the metrics of `dev`: service and gateway in one answer, and a start without them where the port is taken.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { serveMetrics } from '../../src/commands/monitoring.js';
import { Environment } from '../../src/platform/env.js';
import { createLogger } from '../../src/platform/log.js';
import { ProcessMetrics } from '../../src/platform/metrics/process-metrics.js';
import { readMonitoring } from '../../src/settings/monitoring.js';
import { Stage } from '../e2e/stage.js';
import { start } from '../support/processes.js';
import { until } from '../support/waiting.js';
import { probe, SEEN, scrape } from './scrape.js';

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
    await until(async () => (await scrape(dev)).value(...requests) === 1);
    await until(async () => (await probe(dev, '/readyz'))[0] === 200);
    // What it prints works as printed.
    const url = () => /(http:\S+\/metrics) {3}for Prometheus/.exec(dev.output())?.[1];
    await until(() => url() !== undefined);
    expect((await fetch(url() ?? '')).status).to.equal(200);
  });

  it('does not start where the chosen address of metrics is taken, and names the setting', async () => {
    const taken = await listener();
    const env = { ...PORTS, METRICS_ADDRESS: taken, DATA_DIR: await stage.folder() };
    const failure = await start('dev', 'gateway listening', { env }).then(
      () => 'started',
      (error: unknown) => String(error),
    );
    expect(failure).to.include('dev cannot start').and.to.include(`METRICS_ADDRESS: cannot listen on ${taken}`);
  });

  it('has metrics at 127.0.0.1:9464 by default, goes on without them where that is taken, and says so', async () => {
    const settings = (variables: NodeJS.ProcessEnv) =>
      readMonitoring(new Environment(variables), { isOnTerminal: false }).metrics;
    expect(settings({})).to.deep.equal({ address: { host: '127.0.0.1', port: 9464 }, isOptional: true });
    expect(settings({ METRICS_ADDRESS: '127.0.0.1:9464' })).to.have.property('isOptional', false);
    // Any other port is as good for what follows, and this one may be in use on the machine.
    const [host = '', port] = (await listener()).split(':');
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const log = createLogger({ name: 'test', level: 'info', destination });
    const metrics = new ProcessMetrics('0.0.0');
    await serveMetrics({ address: { host, port: Number(port) }, isOptional: true }, metrics, log);
    expect(JSON.parse(lines.join(''))).to.include({ level: 'warn', msg: 'metrics are not served' });
    expect(lines.join('')).to.include(`METRICS_ADDRESS: cannot listen on ${host}:${port}`).and.to.include('EADDRINUSE');
  });

  /** The address of a port that is taken. */
  async function listener(): Promise<string> {
    const server = createServer().listen(0, '127.0.0.1');
    stage.owns(() => server.close());
    await once(server, 'listening');
    const { address, port } = server.address() as AddressInfo;
    return `${address}:${port}`;
  }
});
