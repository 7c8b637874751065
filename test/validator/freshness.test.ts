// The proof of the rules of a remembered answer: how old it is, how long it may be used, when it is asked for again.

import { expect } from 'chai';
import type { ActiveToken, InactiveProblem, Validation } from '../../src/validator/api.js';
import {
  type Answer,
  elapsedMs,
  isDue,
  isFinal,
  isGood,
  type Moment,
  renewFrom,
  renewLater,
} from '../../src/validator/freshness.js';

const NOON_MS = 1_700_000_000_000;
const at = (monotonicMs: number, wallMs = NOON_MS + monotonicMs): Moment => ({ monotonicMs, wallMs });

const activeUntil = (expiresAt: number): ActiveToken => ({
  ...{ active: true, subject: 'alice', sessionId: 's', tokenId: 't', issuedAt: 0, claims: {} },
  ...{ expiresAt, issuer: undefined, audience: [] },
});
const ACTIVE = activeUntil(NOON_MS / 1000 + 300);
const inactive = (problem: InactiveProblem): Validation => ({ active: false, problem });

const answer = (validation: Validation, sent = at(0)): Answer => ({
  ...{ validation, sent, isFinal: isFinal(validation), renewFrom: 0.5 },
});

describe('a remembered answer', () => {
  it('is as old as the larger of two clocks says, so that neither clock makes it younger', () => {
    expect(elapsedMs(at(0), at(700))).to.equal(700);
    // The wall clock was set ahead; or the machine was suspended, and its monotonic clock stopped.
    expect(elapsedMs(at(0), at(700, NOON_MS + 9_000))).to.equal(9_000);
    expect(elapsedMs(at(0), at(700, NOON_MS - 3_600_000))).to.equal(700);
  });

  it('is used until it is older than maxStaleness, and not a millisecond longer', () => {
    for (const validation of [ACTIVE, inactive('WRONG_AUDIENCE')]) {
      expect(isGood(answer(validation), at(2_000), 2_000)).to.equal(true);
      expect(isGood(answer(validation), at(2_001), 2_000)).to.equal(false);
      expect(isGood(answer(validation), at(1, NOON_MS + 2_001), 2_000)).to.equal(false);
    }
  });

  it('is used for ever if it can never change: ended, expired, forged; no other reason is one of these', () => {
    const all: InactiveProblem[] = [
      ...(['MALFORMED', 'BAD_SIGNATURE', 'UNKNOWN_KEY', 'WRONG_TYPE', 'MISSING_CLAIM', 'EXPIRED'] as const),
      ...(['NOT_YET_VALID', 'WRONG_ISSUER', 'WRONG_AUDIENCE', 'REVOKED', 'REUSED', 'UNSPECIFIED'] as const),
    ];
    const lasting = all.filter((problem) => isGood(answer(inactive(problem)), at(1e9), 1));
    expect(lasting).to.deep.equal(['BAD_SIGNATURE', 'EXPIRED', 'REVOKED']);
    expect(isGood(answer(inactive('REVOKED')), at(0), Number.NEGATIVE_INFINITY)).to.equal(true);
  });

  it('is not used once the wall clock has passed the end of the token', () => {
    const soon = answer(activeUntil(NOON_MS / 1000 + 1));
    expect(isGood(soon, at(999), 2_000)).to.equal(true);
    expect(isGood(soon, at(1_000), 2_000)).to.equal(false);
  });

  it('is used although the token has ended by the wall clock, if the clock had passed that end before the call', () => {
    const ahead = answer(activeUntil(NOON_MS / 1000 - 60));
    expect(isGood(ahead, at(1_999), 2_000)).to.equal(true);
    expect(isGood(ahead, at(2_001), 2_000)).to.equal(false);
  });

  it('is asked for again from half of its time on, unless it can never change', () => {
    expect(isDue(answer(ACTIVE), at(999), 2_000)).to.equal(false);
    expect(isDue(answer(ACTIVE), at(1_000), 2_000)).to.equal(true);
    expect(isDue(answer(inactive('REVOKED')), at(1e9), 2_000)).to.equal(false);
    expect([renewFrom(0), renewFrom(0.999)].map((share) => Math.round(share * 100))).to.deep.equal([50, 80]);
  });

  it('is asked for again later after a failure, and still before its time is over', () => {
    let share = 0.5;
    for (let n = 0; n < 20; n++) {
      const next = renewLater(share, 0.999);
      expect(next).to.be.above(share).and.below(1);
      share = next;
    }
    expect(renewLater(0.5, 0)).to.be.closeTo(0.6, 1e-9);
  });
});
