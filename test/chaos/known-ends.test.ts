// Tests of what a history says of the time at which logouts are known, and of lengths of time without stalls.

import { expect } from 'chai';
import { lengthOf } from './bounds.js';
import { active, done, logout, refused, STALENESS_MS, validation } from './hand-made.js';
import { knownEnds } from './known-ends.js';
import type { History, ValidationRecord } from './record.js';

describe('when a logout is known', () => {
  const known = (...validations: ValidationRecord[]) =>
    knownEnds({ calls: [logout(20, 40, done)], validations } as unknown as History, STALENESS_MS);

  it('is derived from the last answer "active" and the first other one', () => {
    const asked = [validation(30, 31, active), validation(69, 70, active), validation(90, 91, refused('REVOKED'))];
    expect(known(...asked)).to.deep.equal([{ activeUntilMs: 30, knownMs: 51 }]);
  });

  it('is at the answer to the logout, if a validator knew it before', () => {
    expect(known(validation(21, 22, active), validation(38, 39, refused('REVOKED')))).to.deep.equal([
      { activeUntilMs: 0, knownMs: 0 },
    ]);
  });

  it('is not counted where nothing was remembered, or the caller allows another age', () => {
    expect(
      known(validation(90, 91, refused('REVOKED')), validation(30, 31, active, { stalenessMs: undefined })),
    ).to.deep.equal([]);
  });
});

describe('the length of a time', () => {
  it('counts a time in which two processes were stopped once', () => {
    const stalls = [
      { fromMs: 30, toMs: 60 },
      { fromMs: 10, toMs: 40 },
      { fromMs: 90, toMs: 200 },
    ];
    expect(lengthOf({ fromMs: 0, toMs: 100 }, stalls)).to.equal(40);
  });
});
