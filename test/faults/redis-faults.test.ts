// Tests of every fault of Redis: right answers or UNAVAILABLE, in time, and recovery without help.

import { expect } from 'chai';
import { readText } from '../docs/markdown.js';
import { Stage } from '../e2e/stage.js';
import { BUSY_MS } from '../support/busy.js';
import { RIGHTS, type Scene, setScene } from './fault-scene.js';
import { REDIS_FAULTS, type RedisFault } from './redis-faults.js';
import { START_FAULTS, type StartFault, type StartTrial, tryStart } from './start-faults.js';
import { type Trial, tryFault } from './trial.js';

const SOON_MS = 1_000;

/** How many faults are tried at the same time, each on a scene of its own: a trial waits for most of its time. */
const LANES = 3;

/** Gives each trial to one of some scenes, on which it begins when the one before it has ended. */
class Lanes {
  readonly #stage: Stage;
  readonly #lanes: { scene: Scene; last: Promise<unknown> }[];
  #given = 0;

  private constructor(stage: Stage, scenes: readonly Scene[]) {
    this.#stage = stage;
    this.#lanes = scenes.map((scene) => ({ scene, last: Promise.resolve() }));
  }

  static async open(stage: Stage): Promise<Lanes> {
    return new Lanes(stage, await Promise.all(Array.from({ length: LANES }, () => setScene(stage))));
  }

  run<T>(work: (scene: Scene) => Promise<T>): Promise<T> {
    const lane = this.#lanes[this.#given++ % LANES];
    if (!lane) throw new Error('there is no lane');
    const trial = lane.last.then(() => work(lane.scene));
    // What a failed trial leaves behind is no scene for the next one.
    lane.last = trial.catch(async () => {
      lane.scene = await setScene(this.#stage);
    });
    return trial;
  }

  /** Waits for all trials, of which a failed test may have left some. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#lanes.map(({ last }) => last));
  }
}

describe('whatever happens to Redis', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const trials = new Map<RedisFault, Promise<Trial>>();
  const starts = new Map<StartFault, Promise<StartTrial>>();
  let lanes: Lanes;
  before(async () => {
    lanes = await Lanes.open(stage);
    for (const fault of REDIS_FAULTS)
      trials.set(
        fault,
        lanes.run((scene) => tryFault(fault, scene)),
      );
    for (const fault of START_FAULTS)
      starts.set(
        fault,
        lanes.run((scene) => tryStart(fault, scene)),
      );
  });
  after(async () => {
    await lanes?.end();
    await stage.clear();
  });

  /** @throws Error if it was not tried */
  async function resultOf<Fault, Result>(all: ReadonlyMap<Fault, Promise<Result>>, fault: Fault): Promise<Result> {
    const result = all.get(fault);
    if (result === undefined) throw new Error('the fault was not tried');
    return result;
  }

  for (const fault of REDIS_FAULTS) {
    const { name, reads, writes, strikes, unheardWrites = false } = fault;
    it(`callers get an answer within a second, no promise is broken, and it heals within two: ${name}`, async () => {
      const { underWay, atOnce, made, unheard, faults } = await resultOf(trials, fault);
      expect(faults).to.deep.equal([]);
      // Until it is noticed, a call may still go well.
      for (const { outcome } of [...underWay, ...atOnce]) expect(outcome).to.be.oneOf(['OK', 'UNAVAILABLE']);
      for (const { kind, at, outcome } of made) {
        const struck = at === 'near' || strikes === 'both';
        expect([kind, at, outcome]).to.deep.equal([kind, at, struck ? (kind === 'read' ? reads : writes) : 'OK']);
      }
      for (const { ms } of [...underWay, ...atOnce, ...made]) expect(ms).to.be.below(SOON_MS + BUSY_MS);
      if (unheardWrites) expect(unheard).to.be.above(0);
    });
  }

  for (const fault of START_FAULTS) {
    it(`a node that starts says so, and serves within two seconds of its end: ${fault.name}`, async () => {
      const { made, startedMs } = await resultOf(starts, fault);
      expect(made.map(({ outcome }) => outcome)).to.deep.equal(made.map(() => 'UNAVAILABLE'));
      for (const { ms } of made) expect(ms).to.be.below(SOON_MS + BUSY_MS);
      expect(startedMs).to.be.below(8_000);
    });
  }

  it('is tried with the rights that docs/deployment.md gives a user, and no more', () => {
    const lines = readText('docs/deployment.md').split('\n');
    expect(lines).to.include(`ACL SETUSER latchkey on >PASSWORD ${RIGHTS}`);
  });
});
