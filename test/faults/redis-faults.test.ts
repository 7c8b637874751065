// Tests of every fault of Redis: right answers or UNAVAILABLE, in time, and recovery without help.

import { expect } from 'chai';
import { readText } from '../docs/markdown.js';
import { Stage } from '../e2e/stage.js';
import { BUSY_MS } from '../support/busy.js';
import { RIGHTS, type Scene, setScene } from './fault-scene.js';
import { REDIS_FAULTS } from './redis-faults.js';
import { START_FAULTS, tryStart } from './start-faults.js';
import { tryFault } from './trial.js';

const SOON_MS = 1_000;

describe('whatever happens to Redis', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let scene: Scene;
  before(async () => {
    scene = await setScene(stage);
  });
  after(() => stage.clear());

  for (const fault of REDIS_FAULTS) {
    const { name, reads, writes, strikes, unheardWrites = false } = fault;
    it(`callers hear it within a second, no promise is broken, and it heals within two: ${name}`, async () => {
      const { underWay, atOnce, made, unheard, faults } = await tryFault(fault, scene);
      expect(faults).to.deep.equal([]);
      // Until it is noticed, a call may still go well.
      for (const { heard } of [...underWay, ...atOnce]) expect(heard).to.be.oneOf(['OK', 'UNAVAILABLE']);
      for (const { kind, at, heard } of made) {
        const struck = at === 'near' || strikes === 'both';
        expect([kind, at, heard]).to.deep.equal([kind, at, struck ? (kind === 'read' ? reads : writes) : 'OK']);
      }
      for (const { ms } of [...underWay, ...atOnce, ...made]) expect(ms).to.be.below(SOON_MS + BUSY_MS);
      if (unheardWrites) expect(unheard).to.be.above(0);
    });
  }

  for (const fault of START_FAULTS) {
    it(`a node that starts says so, and serves within two seconds of its end: ${fault.name}`, async () => {
      const { made, startedMs } = await tryStart(fault, scene);
      expect(made.map(({ heard }) => heard)).to.deep.equal(made.map(() => 'UNAVAILABLE'));
      for (const { ms } of made) expect(ms).to.be.below(SOON_MS + BUSY_MS);
      expect(startedMs).to.be.below(8_000);
    });
  }

  it('is tried with the rights that docs/deployment.md gives a user, and no more', () => {
    const lines = readText('docs/deployment.md').split('\n');
    expect(lines).to.include(`ACL SETUSER latchkey on >PASSWORD ${RIGHTS}`);
  });
});
