// Tests that a pause of a second, of the service or its store, makes it refuse no call of an honest load.

import { expect } from 'chai';
import { validations } from '../../bench/load/validations.js';
import { elapse } from '../support/waiting.js';
import { loadOn } from './load.js';
import { Stage } from './stage.js';

const CONNECTIONS = 8;
const PAUSE_MS = 1_000;
/** A limit that loads reach which a busy machine can still make. */
const FEW = 16;
const OPEN_PER_S = 200;

describe('a service whose calls come at random, more of them in a second than may be under way', function () {
  this.timeout(120_000);
  const stage = new Stage();
  after(() => stage.clear());

  it('refuses none because of a pause of a second, of the process or of the store', async () => {
    const redis = await stage.redis();
    const node = await stage.serve(redis, { MAX_CONCURRENT_CALLS: `${FEW}` });
    const { accessToken } = await node.client.issue();
    const load = await loadOn(node, CONNECTIONS);
    stage.owns(() => load.stop());
    await load.take(validations([accessToken]));
    for (const [stop, goOn] of [
      [() => node.process.child.kill('SIGSTOP'), () => node.process.child.kill('SIGCONT')],
      [() => redis.pause(), () => redis.resume()],
    ] as const) {
      const running = load.run({ kind: 'open', callsPerS: OPEN_PER_S, warmMs: 0, countedMs: 3 * PAUSE_MS });
      await elapse(PAUSE_MS / 2, 'load before the pause');
      stop();
      await elapse(PAUSE_MS, 'the pause');
      goOn();
      const { counts } = await running;
      expect(counts.refused).to.equal(0);
      expect(counts.answered).to.be.greaterThan(OPEN_PER_S);
    }
  });
});
