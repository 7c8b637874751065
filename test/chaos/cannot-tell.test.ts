// Tests of the measure of how long validators could not tell, on histories written by hand.

import { expect } from 'chai';
import { cannotTellLines, measure, stretchesOf } from './cannot-tell.js';
import { active, refused, STALENESS_MS, unknown, validation } from './hand-made.js';
import type { FaultRecord, History } from './record.js';

const AT = [
  validation(0, 10, active),
  validation(10, 20, unknown),
  validation(15, 40, unknown),
  validation(30, 35, refused('REVOKED')),
  validation(50, 60, active),
  validation(90, 100, unknown),
  validation(290, 300, active),
];

describe('how long validators could not tell', () => {
  it('counts from the first CannotTell to the next answer that a token is active', () => {
    expect(stretchesOf(AT)).to.deep.equal([
      { fromMs: 20, toMs: 60 },
      { fromMs: 100, toMs: 300 },
    ]);
    expect(measure(stretchesOf(AT))).to.deep.equal({ count: 2, longestMs: 200, totalMs: 240 });
    expect(stretchesOf([validation(0, 5, unknown), validation(8, 9, unknown)])).to.deep.equal([{ fromMs: 5, toMs: 9 }]);
    expect(measure([])).to.deep.equal({ count: 0, longestMs: 0, totalMs: 0 });
  });

  it('is printed by validator and, of those that nothing else disturbs, by fault', () => {
    const fault = (kind: string, fromMs: number, toMs: number): FaultRecord => ({
      ...{ kind, fromMs, toMs, recoveredAfterMs: 5 },
    });
    const faults = [fault('node killed', 18, 22), fault('redis paused', 400, 500)];
    expect(cannotTellLines({ validations: AT, faults } as unknown as History, STALENESS_MS)).to.deep.equal([
      'CannotTell until the next answer "active":',
      `  bounded, within ${STALENESS_MS} ms: 2 times, 200 ms at most, 240 ms in all`,
      '    node killed 1: 1 times, 40 ms at most, 40 ms in all',
    ]);
  });
});
