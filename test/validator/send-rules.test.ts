// The proof of the rules of sending: how many calls at a time, and how long until a retry.

import { expect } from 'chai';
import { backOffMs, type Failure } from '../../src/validator/retry.js';
import { SendWindow } from '../../src/validator/send-window.js';

const UNREACHABLE: Failure = { kind: 'unreachable', reason: 'none', retryAfterMs: undefined };

describe('the window of calls', () => {
  it('shrinks to one call while calls fail, and grows by one with each success, up to its bound', () => {
    const window = new SendWindow(8);
    const sizes: number[] = [];
    for (const each of 'ffffsssssssssss') {
      if (each === 'f') window.failed();
      else window.succeeded();
      sizes.push(window.size);
    }
    expect(sizes).to.deep.equal([4, 2, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8]);
  });
});

describe('the wait before a retry', () => {
  it('is what the service asks for, and up to a quarter more, so that callers do not return together', () => {
    const asked: Failure = { ...UNREACHABLE, kind: 'overloaded', retryAfterMs: 1_000 };
    expect([backOffMs(asked, 1, 0), backOffMs(asked, 7, 1)]).to.deep.equal([1_000, 1_250]);
  });

  it('doubles with each failure, up to a second, and half of it is random', () => {
    expect([1, 2, 3, 9].map((tries) => backOffMs(UNREACHABLE, tries, 1))).to.deep.equal([50, 100, 200, 1_000]);
    expect([1, 2, 3, 9].map((tries) => backOffMs(UNREACHABLE, tries, 0))).to.deep.equal([25, 50, 100, 500]);
  });
});
