// Tests of commands with an SDK: workers and `dev` have spans, and an SDK that fails costs no call.

import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { JWT_SECRET, start, startServe } from '../support/processes.js';
import { CREW_MS, Crew } from '../workers/crew.js';
import { OtlpReceiver } from './otlp-receiver.js';

const FAILING = new URL('./failing-sdk.js', import.meta.url).href;
const MAX_CALLS = 10;
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('traces of a command', function () {
  this.timeout(2 * CREW_MS);
  const stage = new Stage();
  let otlp: OtlpReceiver;
  beforeEach(async () => {
    otlp = await OtlpReceiver.start();
    stage.owns(() => otlp.stop());
  });
  afterEach(() => stage.clear());

  it('`serve` come from its workers', async () => {
    const crew = await Crew.start({ env: { DATA_DIR: await stage.folder(), ...otlp.env } });
    stage.owns(() => crew.clear());
    await crew.client().issue();
    const { traceId } = await otlp.named('auth.v1.IssuerService/IssueToken');
    expect(traceId).to.match(/^[0-9a-f]{32}$/);
  });

  it('`dev` come from its gateway and its service', async () => {
    const env = {
      GRPC_ADDRESS: '127.0.0.1:0',
      HTTP_ADDRESS: '127.0.0.1:0',
      DATA_DIR: await stage.folder(),
      ...otlp.env,
    };
    const dev = await start('dev', 'gateway listening', { env });
    stage.owns(() => dev.kill());
    const headers = { traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`, 'content-type': 'application/json' };
    const body = JSON.stringify({ refresh: 'x.y.z' });
    await fetch(`http://${dev.address}/api/auth/token/refresh`, { method: 'POST', headers, body });
    const spans = await otlp.trace(TRACE_ID, 3);
    expect(spans.map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal([
      '2 POST /api/auth/token/refresh',
      '3 auth.v1.AuthService/RefreshToken',
      '2 auth.v1.AuthService/RefreshToken',
    ]);
  });

  it('`serve` may fail: each call is answered, and none keeps its place', async () => {
    const env = { JWT_SECRET, DATA_DIR: await stage.folder(), MAX_CONCURRENT_CALLS: `${MAX_CALLS}` };
    const serve = await startServe({ env, preloads: [FAILING] });
    stage.owns(() => serve.kill());
    const client = stage.client(serve.address);
    for (let call = 0; call < MAX_CALLS + 1; call++) {
      const { accessToken } = await client.issue();
      expect(await client.verdict(accessToken)).to.equal('active');
    }
  });
});
