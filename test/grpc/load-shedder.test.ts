// The rule for how many calls may be under way, in turns of an event loop that are made up.

import { expect } from 'chai';
import { LoadShedder } from '../../src/grpc/load-shedder.js';

const MAX_CALLS = 256;
const [TOO_OLD_MS, TARGET_MS, REFUSAL_MS] = [200, 80, 0.05];

/** A shedder with a clock of processor time. */
class Loop {
  readonly shedder = new LoadShedder(MAX_CALLS);
  #nowMs = 0;

  /** One turn, in which calls are refused and others end. */
  turn(tookMs: number, { oldestMs = 0, answered = 0, refused = 0, rested = false } = {}): void {
    if (refused > 0) this.shedder.exceeded();
    for (let n = 0; n < refused; n++) this.shedder.refused();
    for (let n = 0; n < answered; n++) this.shedder.answered();
    this.#nowMs += tookMs;
    this.shedder.endTurn({ nowMs: this.#nowMs, oldestMs, rested });
  }

  /** Turns that are alike, for some time. @param eachMs how long each takes */
  turns(forMs: number, eachMs: number, each: Parameters<Loop['turn']>[1]): void {
    for (let ms = 0; ms < forMs; ms += eachMs) this.turn(eachMs, each);
  }
}

/** A call costs 5 ms, and twice as many come: 256 wait for more than a second. */
const SLOW = { oldestMs: 1_280, answered: 4, refused: 4 };
/** As many as the slow service answers within the target. */
const SLOW_LIMIT = 16;

function overloaded(): Loop {
  const loop = new Loop();
  loop.turns(3 * TARGET_MS, 20, SLOW);
  expect(loop.shedder.limit).to.equal(SLOW_LIMIT);
  return loop;
}

describe('the load shedder', () => {
  it('takes no fewer because calls are refused, while none gets too old', () => {
    const loop = new Loop();
    loop.turns(60_000, 20, { oldestMs: TOO_OLD_MS - 1, answered: 150, refused: 50 });
    expect(loop.shedder.limit).to.equal(MAX_CALLS);
  });

  it('lets calls get older where more may be under way', () => {
    const shedder = new LoadShedder(10 * MAX_CALLS);
    for (let nowMs = 0; nowMs < 10_000; nowMs += 20) {
      shedder.answered();
      shedder.endTurn({ nowMs, oldestMs: 9 * TOO_OLD_MS, rested: false });
    }
    expect(shedder.limit).to.equal(10 * MAX_CALLS);
  });

  it('takes as many as are answered within the target, once waiting has stayed above it in an overload', () => {
    const loop = new Loop();
    loop.turns(TARGET_MS, 20, SLOW);
    expect(loop.shedder.limit, 'before a whole interval').to.equal(MAX_CALLS);
    loop.turns(TARGET_MS, 20, SLOW);
    expect(loop.shedder.limit).to.equal(SLOW_LIMIT);
  });

  it('follows what can be answered, up and down, and takes at least one call', () => {
    const loop = overloaded();
    loop.turns(TARGET_MS, 20, { oldestMs: 90, answered: 20, refused: 4 });
    expect(loop.shedder.limit).to.equal(80);
    loop.turns(TARGET_MS, 20, { oldestMs: 90, answered: 200, refused: 4 });
    expect(loop.shedder.limit).to.equal(MAX_CALLS);
    const stuck = overloaded();
    stuck.turn(5_000, { oldestMs: 5_000, answered: 1, refused: 4 });
    expect(stuck.shedder.limit).to.equal(1);
  });

  it('takes as many as ever after an interval in which the event loop rested, and twice as many after one without refusals', () => {
    const resting = overloaded();
    resting.turns(TARGET_MS, 20, { ...SLOW, rested: true });
    expect(resting.shedder.limit).to.equal(MAX_CALLS);
    const calming = overloaded();
    const limits = Array.from({ length: 5 }, () => {
      calming.turns(TARGET_MS, 20, { oldestMs: 70, answered: 4 });
      return calming.shedder.limit;
    });
    expect(limits).to.deep.equal([32, 64, 128, 256, 256]);
    const old = overloaded();
    old.turns(10 * TARGET_MS, 20, { ...SLOW, refused: 0 });
    expect(old.shedder.limit, 'calls are still too old').to.equal(SLOW_LIMIT);
  });

  it('takes no fewer while waiting is short, also if it is long in between', () => {
    const loop = new Loop();
    for (let n = 0; n < 100; n++) {
      loop.turns(TARGET_MS - 20, 20, SLOW);
      loop.turn(20, { ...SLOW, oldestMs: TOO_OLD_MS - 1 });
      expect(loop.shedder.limit).to.equal(MAX_CALLS);
    }
  });

  it('takes no fewer after a pause of the process, though more come then than may be under way', () => {
    for (const beforeMs of [0, 20, 40, 60, 80]) {
      const loop = new Loop();
      loop.turns(TARGET_MS + beforeMs, 20, { oldestMs: 30, answered: 40 });
      loop.turn(1_000, { oldestMs: 1_000, answered: 40, refused: 1_000 });
      expect(loop.shedder.limit).to.equal(MAX_CALLS);
      loop.turns(2 * TARGET_MS, 20, { oldestMs: 40, answered: 140, refused: 40 });
      expect(loop.shedder.limit).to.equal(MAX_CALLS);
    }
  });

  it('takes no fewer while calls wait for the store: the event loop rests then', () => {
    const loop = new Loop();
    for (let ms = 0; ms < 3_000; ms += 20) {
      loop.turn(20, { oldestMs: ms, refused: 10, rested: ms % 60 === 0 });
      expect(loop.shedder.limit).to.equal(MAX_CALLS);
    }
  });

  it('takes no fewer if refusals fill most of the time of the event loop', () => {
    const loop = new Loop();
    const half = 20 / REFUSAL_MS / 2;
    loop.turns(1_000, 20, { oldestMs: 500, answered: 4, refused: half });
    expect(loop.shedder.limit).to.equal(MAX_CALLS);
    loop.turns(2 * TARGET_MS, 20, { oldestMs: 500, answered: 4, refused: half - 1 });
    expect(loop.shedder.limit).to.equal(SLOW_LIMIT);
  });

  it('waits for answers to count, where long turns bring none', () => {
    const loop = new Loop();
    for (let n = 0; n < 3; n++) {
      loop.turn(640, { oldestMs: 640, refused: 10 });
      expect(loop.shedder.limit).to.be.greaterThan(0);
      loop.turn(640, { oldestMs: 1_280, answered: 256, refused: 10 });
    }
    expect(loop.shedder.limit).to.be.within(SLOW_LIMIT, 2 * SLOW_LIMIT);
  });
});
