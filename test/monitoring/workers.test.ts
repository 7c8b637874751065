// Tests of what workers show together: one answer for all, which never counts backwards, and one state.

import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { FeedStream } from '../support/feed-stream.js';
import { until } from '../support/waiting.js';
import { CREW_MS, Crew } from '../workers/crew.js';
import { probe, SEEN, scrape } from './scrape.js';

describe('workers, seen from outside', function () {
  this.timeout(2 * CREW_MS);
  const stage = new Stage();
  let crew: Crew;
  before(async () => {
    crew = await Crew.start({ env: { DATA_DIR: await stage.folder(), ...SEEN, READY_NEEDS_STORE: 'true' } });
    stage.owns(() => crew.clear());
  });
  after(() => stage.clear());

  const logins = async (): Promise<number> =>
    (await scrape(crew.process)).value('latchkey_rpc_duration_seconds_count', { method: 'IssueToken' }) ?? 0;

  it('are ready once one of them serves', async () => {
    expect(await probe(crew.process, '/readyz')).to.deep.equal([200, { status: 'ok' }]);
  });

  it('count together, whichever was asked, and still after one of them has ended', async () => {
    // Each connection goes to the next worker.
    for (let n = 0; n < 6; n++) await crew.client().issue();
    expect(await logins()).to.equal(6);
    const [worker, pid] = [...crew.pids][0] ?? [];
    process.kill(pid ?? 0, 'SIGKILL');
    await until(() => crew.said('a worker has ended').some((line) => line['worker'] === worker), CREW_MS);
    expect(await logins()).to.equal(6);
    await until(() => crew.living.length === 2, CREW_MS);
    await crew.client().issue();
    expect(await logins()).to.equal(7);
  });

  it('have the streams of all of them', async () => {
    // Each connection goes to the next worker.
    const streams = [new FeedStream(crew.address), new FeedStream(crew.address)];
    await until(() => streams.every(({ isCaughtUp }) => isCaughtUp), CREW_MS);
    expect((await scrape(crew.process)).value('latchkey_watchers')).to.equal(2);
    for (const stream of streams) stream.close();
  });

  it('count what a worker did after the last scrape, if it ends in order', async () => {
    for (let n = 0; n < 4; n++) await crew.client().issue();
    crew.signal('SIGHUP');
    await until(() => crew.said('all workers have been replaced').length === 1, CREW_MS);
    expect(await logins()).to.equal(11);
    expect((await scrape(crew.process)).value('latchkey_store_reachable')).to.equal(1);
  });
});
