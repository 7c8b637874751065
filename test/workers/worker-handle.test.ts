// Tests of what a primary keeps of a worker: nothing of a request for metrics that has been answered.

import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { WorkerHandle } from '../../src/workers/worker-handle.js';

const PROGRAM = fileURLToPath(new URL('./counting-worker.js', import.meta.url));
const START_MS = 30_000;
const ANSWER_MS = 30_000;
const REQUESTS = 4_000;
/** Less than half of what a request would leave if it left anything; other parts of the process allocate, too. */
const MOST_BYTES_EACH = 250;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('a worker, as its primary sees it', () => {
  let handle: WorkerHandle;
  before(async () => {
    cluster.setupPrimary({ exec: PROGRAM, args: [] });
    handle = new WorkerHandle({}, START_MS);
    await handle.listening;
  });
  after(async () => {
    handle.kill();
    await handle.ended;
  });

  const ask = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) await handle.askForMetrics(ANSWER_MS);
  };

  it('leaves nothing of a request for metrics in memory: a scraper asks for as long as the worker lives', async () => {
    await ask(REQUESTS);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    await ask(REQUESTS);
    collectGarbage();
    expect((process.memoryUsage().heapUsed - before) / REQUESTS).to.be.below(MOST_BYTES_EACH);
  });

  it('waits no longer for metrics than it may, and not for a worker that has ended', async () => {
    process.kill(handle.pid ?? 0, 'SIGSTOP');
    const startMs = performance.now();
    await handle.askForMetrics(100);
    expect(performance.now() - startMs).to.be.within(95, 15_000);
    const asked = handle.askForMetrics(ANSWER_MS);
    handle.kill();
    await asked;
    await handle.ended;
    await handle.askForMetrics(ANSWER_MS);
    expect(performance.now() - startMs).to.be.below(ANSWER_MS);
  });
});
