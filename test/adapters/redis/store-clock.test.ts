// Tests that the estimated store clock is never ahead of the server's clock.

import { expect } from 'chai';
import fc from 'fast-check';
import { StoreClock } from '../../../src/adapters/redis/store-clock.js';
import { StoreUnavailable } from '../../../src/core/errors.js';

/** A server's clock and this process's, and an answer that takes its time there and back. */
class Clocks {
  serverMs = 1_700_000_000_000;
  steadyMs = 5_000;
  readonly clock = new StoreClock(() => this.steadyMs);

  pass(ms: number, rate = 1): void {
    this.serverMs += ms;
    this.steadyMs += ms * rate;
  }

  sync(thereMs: number, backMs: number, rate = 1): Promise<void> {
    return this.clock.sync(async () => {
      this.pass(thereMs, rate);
      const read = this.serverMs;
      this.pass(backMs, rate);
      return read;
    });
  }
}

describe('the clock of a store on Redis', () => {
  it('is not known before the first sync', () => {
    expect(() => new Clocks().clock.now()).to.throw(StoreUnavailable);
  });

  it('runs on from the last sync, behind by the way back of the answer', async () => {
    const clocks = new Clocks();
    await clocks.sync(3, 4);
    expect(clocks.serverMs - clocks.clock.now()).to.equal(4);
    clocks.pass(500);
    expect(clocks.serverMs - clocks.clock.now()).to.be.within(4, 5);
  });

  it('keeps the better of two bounds', async () => {
    const clocks = new Clocks();
    await clocks.sync(0, 0);
    clocks.pass(1_000);
    await clocks.sync(0, 300);
    expect(clocks.serverMs - clocks.clock.now()).to.be.within(0, 3);
  });

  it('follows a server whose clock was set back, or another server', async () => {
    const clocks = new Clocks();
    await clocks.sync(1, 1);
    clocks.serverMs -= 60_000;
    await clocks.sync(1, 1);
    expect(clocks.serverMs - clocks.clock.now()).to.equal(1);
    clocks.serverMs += 60_000;
    await clocks.sync(1, 1);
    expect(clocks.serverMs - clocks.clock.now()).to.equal(1);
  });

  it('is never ahead, and never goes back, whatever answers take and however clocks are slewed', async () => {
    const step = fc.record({
      waitMs: fc.double({ min: 0, max: 2_000, noNaN: true }),
      thereMs: fc.double({ min: 0, max: 400, noNaN: true }),
      backMs: fc.double({ min: 0, max: 400, noNaN: true }),
      rate: fc.double({ min: 0.999_5, max: 1.000_5, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
        const clocks = new Clocks();
        let last = 0;
        await clocks.sync(0, 0);
        for (const { waitMs, thereMs, backMs, rate } of steps) {
          clocks.pass(waitMs, rate);
          expect(clocks.clock.now()).to.be.at.most(clocks.serverMs).and.at.least(last);
          last = clocks.clock.now();
          await clocks.sync(thereMs, backMs, rate);
          expect(clocks.clock.now()).to.be.at.most(clocks.serverMs).and.at.least(last);
          last = clocks.clock.now();
        }
      }),
    );
  });
});
