// Tests that batches share what they have of the event loop, and leave the rest to others.

import { expect } from 'chai';
import { TimeSlicer } from '../../src/grpc/admission/time-slicer.js';

const STEP_MS = 0.25;
/** Several slices of the loop, whatever else the machine does. */
const MANY = 40;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const always = (): boolean => true;

/** Takes as long as a new signature. */
function work(): void {
  const untilMs = performance.now() + STEP_MS;
  while (performance.now() < untilMs);
}

describe('slices of the event loop', () => {
  it('take all steps, in order, and at once where there is little to do', async () => {
    let atOnce = 0;
    for (let time = 0; time < 20; time++) {
      const taken: number[] = [];
      const whole = new TimeSlicer().each([1, 2, 3], (item) => void taken.push(item), always);
      if (taken.length === 3) atOnce++;
      expect(await whole).to.equal(true);
      expect(taken).to.deep.equal([1, 2, 3]);
    }
    // Not each time: another program may have the processor for longer than a slice.
    expect(atOnce).to.be.greaterThan(0);
  });

  it('are a few steps of each turn, for all batches together', async () => {
    const slicer = new TimeSlicer();
    let steps = 0;
    const step = (): void => {
      work();
      steps++;
    };
    const batches = [1, 2, 3, 4].map(() => slicer.each(Array(MANY).fill(0), step, always));
    const byTurns: number[] = [];
    for (let before = 0; steps < 4 * MANY; before = steps) {
      await turn();
      byTurns.push(steps - before);
    }
    // The slice of the turn in which they came, and the next one, may both lie before the first look.
    expect(Math.max(...byTurns)).to.be.at.most(2 * (1 + 1 / STEP_MS));
    expect(await Promise.all(batches)).to.deep.equal([true, true, true, true]);
  });

  it('are taken in turn, so that a small batch need not wait for the end of a large one', async () => {
    const slicer = new TimeSlicer();
    const ended: string[] = [];
    const large = slicer.each(Array(MANY).fill(0), work, always).then(() => ended.push('large'));
    const small = slicer.each([0], work, always).then(() => ended.push('small'));
    await Promise.all([large, small]);
    expect(ended).to.deep.equal(['small', 'large']);
  });

  it('are not spent on what no caller waits for any more', async () => {
    const slicer = new TimeSlicer();
    let [steps, wanted] = [0, true];
    const batch = slicer.each(
      Array(MANY).fill(0),
      () => [work(), steps++],
      () => wanted,
    );
    const other = slicer.each([0], work, always);
    wanted = false;
    expect(await Promise.all([batch, other])).to.deep.equal([false, true]);
    expect(steps).to.be.below(MANY);
  });
});
