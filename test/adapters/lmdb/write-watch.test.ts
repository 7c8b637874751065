// Tests that writes to a disk that hangs fail within a bounded time, and that the core is notified.

import { expect } from 'chai';
import { WriteWatch } from '../../../src/adapters/lmdb/write-watch.js';
import { StoreUnavailable } from '../../../src/core/errors.js';

const LIMIT_MS = 20;

/** A write that ends when the test calls `end`. */
function pending(): { readonly write: Promise<string>; readonly end: (failure?: Error) => void } {
  let end: (failure?: Error) => void = () => {};
  const write = new Promise<string>((resolve, reject) => {
    end = (failure) => (failure ? reject(failure) : resolve('done'));
  });
  return { write, end };
}

describe('the watch over writes to the disk', () => {
  let nowMs: number;
  let writes: WriteWatch;
  let changes: boolean[];
  beforeEach(() => {
    nowMs = 1_000;
    writes = new WriteWatch(LIMIT_MS, () => nowMs);
    changes = [];
    writes.watch((reachable) => changes.push(reachable));
  });

  const refusal = async (work: Promise<unknown>) =>
    expect(await work.catch((reason: unknown) => reason)).to.be.instanceOf(StoreUnavailable);

  it('hands on what comes in time', async () => {
    expect(await writes.bound(Promise.resolve('done'))).to.equal('done');
    const failure = new Error('broken');
    expect(await writes.bound(Promise.reject(failure)).catch((reason: unknown) => reason)).to.equal(failure);
    expect(writes.sinceMs).to.equal(1_000);
  });

  it('gives up on what does not, and the store counts as away until it has ended after all', async () => {
    const slow = [pending(), pending()] as const;
    await Promise.all(slow.map(({ write }) => refusal(writes.bound(write))));
    expect(writes.sinceMs).to.equal(undefined);
    nowMs = 5_000;
    slow[0].end();
    await slow[0].write;
    expect(changes).to.deep.equal([false]);
    slow[1].end(new Error('broken'));
    await new Promise(setImmediate);
    expect(writes.sinceMs).to.equal(5_000);
    expect(changes).to.deep.equal([false, true]);
  });

  it('takes an answer that is there when this process was held up', async () => {
    const { write, end } = pending();
    const bound = writes.bound(write);
    setImmediate(() => end());
    const untilMs = performance.now() + 3 * LIMIT_MS;
    while (performance.now() < untilMs);
    expect(await bound).to.equal('done');
    expect(changes).to.deep.equal([]);
  });

  it('ends for good', async () => {
    const { write, end } = pending();
    await refusal(writes.bound(write));
    writes.end();
    end();
    await new Promise(setImmediate);
    expect(writes.sinceMs).to.equal(undefined);
    expect(changes).to.deep.equal([false]);
  });
});
