// Tests of the log of outages.

import { expect } from 'chai';
import { OutageLog } from '../../src/core/durability/outage-log.js';

describe('what a process knows of reaching its store', () => {
  it('is nothing before the first time', () => {
    const reach = new OutageLog();
    expect(reach.sinceMs).to.equal(undefined);
    expect(reach.reachedMsSince(100, 500)).to.equal(0);
    expect(reach.lost(200)).to.equal(false);
  });

  it('counts the time that it was reached, and not the time away', () => {
    const reach = new OutageLog();
    reach.reached(1_000);
    expect(reach.sinceMs).to.equal(1_000);
    expect(reach.reachedMsSince(0, 1_500)).to.equal(500);
    reach.lost(2_000);
    expect(reach.sinceMs).to.equal(undefined);
    expect(reach.reachedMsSince(1_500, 9_000)).to.equal(500);
    reach.reached(10_000);
    reach.lost(11_000);
    reach.reached(12_000);
    expect(reach.reachedMsSince(1_500, 12_300)).to.equal(500 + 1_000 + 300);
    expect(reach.reachedMsSince(12_100, 12_300)).to.equal(200);
    expect(reach.reachedMsSince(10_500, 10_500)).to.equal(0);
  });

  it('is reported to a listener, once a change, until it is removed', () => {
    const reach = new OutageLog();
    const changes: boolean[] = [];
    const stop = reach.watch((reachable) => changes.push(reachable));
    reach.reached(1);
    reach.reached(2);
    reach.lost(3);
    reach.lost(4);
    stop();
    reach.reached(5);
    expect(changes).to.deep.equal([true, false]);
  });

  it('does not grow without bound', () => {
    const reach = new OutageLog();
    for (let n = 0; n < 10_000; n++) {
      reach.reached(2 * n);
      reach.lost(2 * n + 1);
    }
    expect(reach.reachedMsSince(19_990, 20_000)).to.equal(5);
  });
});
