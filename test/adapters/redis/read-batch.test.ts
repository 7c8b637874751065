// Tests of batched reads: one command a turn, each key once, and no answer from an earlier batch.

import { expect } from 'chai';
import { type RawValue, ReadBatch } from '../../../src/adapters/redis/read-batch.js';
import { StoreUnavailable } from '../../../src/core/errors.js';

/** Keeps each command until it is answered. */
class Wire {
  readonly sent: (readonly string[])[] = [];
  readonly answers: ((found: readonly RawValue[] | Error) => void)[] = [];
  readonly batch = new ReadBatch((keys) => {
    this.sent.push(keys);
    return new Promise((resolve, reject) => {
      this.answers.push((found) => (found instanceof Error ? reject(found) : resolve(found)));
    });
  });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const keys = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('reads from Redis', () => {
  it('of one turn are one command, which has each key once', async () => {
    const { batch, sent, answers } = new Wire();
    const work = [batch.read(['s1', 'u1', 'born']), batch.read(['s2', 'u1', 'born']), batch.read(['s1', 's1'])];
    expect(sent).to.have.length(0);
    await turn();
    expect(sent).to.deep.equal([['s1', 'u1', 'born', 's2']]);
    answers[0]?.(['a', 'b', null, 'd']);
    expect(await Promise.all(work)).to.deep.equal([
      ['a', 'b', undefined],
      ['d', 'b', undefined],
      ['a', 'a'],
    ]);
  });

  it('never join a command that was sent', async () => {
    const { batch, sent, answers } = new Wire();
    const first = batch.read(['k']);
    await turn();
    const second = batch.read(['k']);
    await turn();
    expect(sent).to.deep.equal([['k'], ['k']]);
    answers[0]?.(['old']);
    answers[1]?.(['new']);
    expect(await Promise.all([first, second])).to.deep.equal([['old'], ['new']]);
  });

  it('are at most 1,000 keys a command, and those of one caller stay together', async () => {
    const { batch, sent } = new Wire();
    for (let caller = 0; caller < 500; caller++) void batch.read([`s${caller}`, `u${caller}`, `b${caller}`]);
    await turn();
    expect(sent.map((each) => each.length)).to.deep.equal([999, 501]);
    expect(sent.map((each) => each.length % 3)).to.deep.equal([0, 0]);
  });

  it('of one caller are one command however many there are', async () => {
    const { batch, sent } = new Wire();
    void batch.read(['a']);
    void batch.read(keys('k', 1_500));
    void batch.read(['b']);
    await turn();
    expect(sent.map((each) => each.length)).to.deep.equal([1, 1_500, 1]);
  });

  it('fail for those alone who asked for a key that cannot be read', async () => {
    const { batch, answers } = new Wire();
    const good = batch.read(['a', 'born']);
    const bad = batch.read(['list', 'born']);
    await turn();
    answers[0]?.(['x', 'y', 1]);
    expect(await good).to.deep.equal(['x', 'y']);
    expect(await bad.catch((error: unknown) => error)).to.be.instanceOf(StoreUnavailable);
  });

  it('fail together when the command fails', async () => {
    const { batch, answers } = new Wire();
    const work = [batch.read(['a']), batch.read(['b'])];
    await turn();
    answers[0]?.(new StoreUnavailable('gone'));
    const outcomes = await Promise.allSettled(work);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
  });
});
