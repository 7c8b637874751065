// The queue of calls that wait for a place, by a clock that is made up.

import { expect } from 'chai';
import { WaitQueue } from '../../src/grpc/admission/wait-queue.js';

const [INTERVAL_MS, TARGET_MS] = [2_000, 20];

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);

/** A queue that has not been empty for an interval. @returns it, at that time */
function standing(): { queue: WaitQueue<number>; nowMs: number } {
  const queue = new WaitQueue<number>(1_000);
  for (let nowMs = 0; nowMs < INTERVAL_MS; nowMs += 10) {
    queue.push(nowMs, nowMs);
    queue.expire(nowMs);
    if (nowMs > 0) queue.take(1);
  }
  return { queue, nowMs: INTERVAL_MS };
}

describe('the queue of calls that wait for a place', () => {
  it('lets them go in the order in which they came', () => {
    const queue = new WaitQueue<number>(10);
    for (const n of numbers(5)) queue.push(n, n);
    expect(queue.take(2)).to.deep.equal([0, 1]);
    expect(queue.take(9)).to.deep.equal([2, 3, 4]);
    expect(queue.length).to.equal(0);
  });

  it('is full at its bound', () => {
    const queue = new WaitQueue<number>(3);
    expect(numbers(5).map((n) => queue.push(n, 0))).to.deep.equal([true, true, true, false, false]);
    expect(queue.length).to.equal(3);
    queue.take(1);
    expect(queue.push(5, 0)).to.equal(true);
  });

  it('lets a burst wait for an interval, and no longer', () => {
    const queue = new WaitQueue<number>(1_000);
    for (const n of numbers(500)) queue.push(n, n < 250 ? 0 : 1);
    expect(queue.expire(INTERVAL_MS - 1)).to.deep.equal([]);
    expect(queue.expire(INTERVAL_MS)).to.deep.equal(numbers(500), 'it has been non-empty for an interval');
  });

  it('lets calls wait for the target alone once it was not empty for an interval', () => {
    const { queue, nowMs } = standing();
    queue.take(queue.length);
    for (const n of numbers(3)) queue.push(n, nowMs + n);
    expect(queue.expire(nowMs + TARGET_MS - 1)).to.deep.equal([]);
    expect(queue.expire(nowMs + TARGET_MS)).to.deep.equal([0]);
    expect(queue.expire(nowMs + TARGET_MS + 1)).to.deep.equal([1]);
  });

  it('lasts if each turn fills and empties it, and no longer after a turn in which none had to wait', () => {
    const { queue, nowMs } = standing();
    const refill = (atMs: number): void => {
      queue.take(queue.length);
      queue.push(1, atMs);
      queue.take(1);
      queue.expire(atMs);
    };
    for (const n of numbers(5, 1)) refill(nowMs + n);
    queue.push(7, nowMs + 10);
    expect(queue.expire(nowMs + 10 + TARGET_MS)).to.deep.equal([7]);
    queue.expire(nowMs + 40);
    queue.push(8, nowMs + 50);
    expect(queue.expire(nowMs + 50 + INTERVAL_MS - 1)).to.deep.equal([]);
  });
});
