// Tests of the answers of the gateway while the service is away, hangs, and returns.

import { expect } from 'chai';
import { BUSY_MS } from '../support/busy.js';
import { elapse, until } from '../support/waiting.js';
import { REFRESH, RunningGateway } from './running-gateway.js';

describe('gateway: outages of the service', function () {
  this.timeout(120_000);
  let gateway: RunningGateway;
  beforeEach(async () => {
    gateway = await RunningGateway.start();
  });
  afterEach(() => gateway.stop());

  const timed = async () => {
    const begun = performance.now();
    const { status, headers } = await gateway.post(REFRESH, { refresh: 'r' });
    return { status, retryAfter: headers.get('retry-after'), ms: performance.now() - begun };
  };

  it('answers 503 within a second while it is away, and recovers within two of its return', async () => {
    expect((await timed()).status).to.equal(200);
    gateway.service.stop();
    // Long enough for the pauses between attempts to connect to have grown to their longest.
    const awayUntil = performance.now() + 2_500;
    while (performance.now() < awayUntil) {
      const { status, retryAfter, ms } = await timed();
      expect([status, retryAfter]).to.deep.equal([503, '1']);
      expect(ms).to.be.below(1_000 + BUSY_MS);
      await elapse(300, 'paces requests');
    }
    expect((await gateway.ask('/healthz')).status).to.equal(200);
    expect((await gateway.ask('/readyz')).status).to.equal(503);

    await gateway.service.start();
    const returned = performance.now();
    await until(async () => (await timed()).status === 200);
    expect(performance.now() - returned).to.be.below(2_000 + BUSY_MS);
  });

  it('answers 503 within a second while it hangs', async () => {
    gateway.service.script = () => elapse(1_500, 'the service hangs');
    const { status, ms } = await timed();
    expect(status).to.equal(503);
    expect(ms).to.be.within(800, 1_000 + BUSY_MS);
    gateway.service.script = () => {};
    expect((await timed()).status).to.equal(200);
  });

  it('answers 503 for calls that were under way when it went away', async () => {
    gateway.service.script = () => elapse(800, 'a slow call');
    const pending = Promise.all([timed(), timed()]);
    await until(() => gateway.service.calls.length === 2);
    gateway.service.stop();
    for (const { status, ms } of await pending) {
      expect(status).to.equal(503);
      expect(ms).to.be.below(1_000 + BUSY_MS);
    }
  });
});
