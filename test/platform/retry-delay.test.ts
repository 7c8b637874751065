// Tests of the delay in a google.rpc.RetryInfo: its unit and its bounds.

import { expect } from 'chai';
import { retryDelayMs } from '../../src/platform/retry-delay.js';

describe('platform: the delay of a RetryInfo', () => {
  it('is in milliseconds', () => {
    expect(retryDelayMs({ retryDelay: { seconds: 2, nanos: 500_000_000 } })).to.equal(2_500);
    expect(retryDelayMs({ retryDelay: { seconds: 0, nanos: 0 } })).to.equal(0);
  });

  it('is ignored if it is missing, negative, no number, or longer than a minute', () => {
    expect(retryDelayMs({ retryDelay: { seconds: 60, nanos: 0 } })).to.equal(60_000);
    const wrong = [
      { seconds: 60, nanos: 1 },
      { seconds: -1, nanos: 0 },
      { seconds: 0, nanos: -1 },
      { seconds: Number.NaN, nanos: 0 },
      { seconds: Number.POSITIVE_INFINITY, nanos: 0 },
    ];
    for (const retryDelay of wrong) expect(retryDelayMs({ retryDelay })).to.equal(undefined);
    expect([retryDelayMs({}), retryDelayMs({ retryDelay: undefined })]).to.deep.equal([undefined, undefined]);
  });
});
