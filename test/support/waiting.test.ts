// Tests of the waits of tests: each ends, and its error shows what was awaited and what was last seen.

import { expect } from 'chai';
import { answerWithin, EventWaits, elapse, holdsFor, until, untilReported } from './waiting.js';

const errorOf = (wait: Promise<unknown>): Promise<Error> =>
  wait.then(
    () => expect.fail('the wait came to a good end'),
    (error: Error) => error,
  );

describe('a wait of a test', () => {
  it('for a condition ends once that holds, and says what was last seen if it never does', async () => {
    let looks = 0;
    expect(await until(() => ++looks === 3)).to.be.above(0);
    expect(looks).to.equal(3);
    const { message } = await errorOf(until(() => looks > 1e9, 20, { seen: () => ({ looks }) }));
    expect(message)
      .to.match(/after 20 ms still not: .*looks > 1e9/)
      .and.to.include(`last seen: { looks: ${looks} }`);
  });

  it('for a condition ends with the error of a look, but not where servers may fail to answer meanwhile', async () => {
    const failing = async (): Promise<boolean> => {
      throw new Error('no answer');
    };
    expect((await errorOf(until(failing))).message).to.equal('no answer');
    let looks = 0;
    await untilReported(() => (++looks === 3 ? Promise.resolve(true) : failing()));
    const { cause } = await errorOf(untilReported(failing, 20));
    expect(cause).to.be.instanceOf(Error).with.property('message', 'no answer');
  });

  it('that repeats an assertion lasts for its time, and ends at once where that fails', async () => {
    const startMs = performance.now();
    let looks = 0;
    await holdsFor(50, () => {
      looks++;
    });
    expect(performance.now() - startMs).to.be.at.least(49);
    expect(looks).to.be.above(1);
    const { message } = await errorOf(holdsFor(60_000, () => expect.fail('it has happened')));
    expect(message).to.equal('it has happened');
  });

  it('for an answer has that, or its error, or nothing when the time is over', async () => {
    expect(await answerWithin(60_000, Promise.resolve(1))).to.equal(1);
    expect((await errorOf(answerWithin(60_000, Promise.reject(new Error('refused'))))).message).to.equal('refused');
    expect(await answerWithin(10, new Promise(() => {}))).to.equal(undefined);
  });

  it('for an event looks at each, and ends without one', async () => {
    const waits = new EventWaits();
    let events = 0;
    const second = waits.until(() => events === 2);
    for (; events < 3; waits.look()) events++;
    await second;
    expect((await errorOf(waits.until(() => events > 3, 10))).message).to.match(/after 10 ms still not: .*events > 3/);
  });

  it('for time ends early by a signal', async () => {
    const startMs = performance.now();
    await elapse(60_000, 'longer than this test', AbortSignal.timeout(10));
    expect(performance.now() - startMs).to.be.below(10_000);
  });
});
