// Tests of the checker's rules for validators, on histories written by hand.

import { expect } from 'chai';
import { CALL_SLACK_MS, CLOCK_LAG_MS } from './bounds.js';
import { WRITE_BOUND_MS } from './ends.js';
import {
  active,
  broken,
  done,
  EXP_MS,
  found,
  issue,
  logout,
  refused,
  revoke,
  STALENESS_MS,
  unknown,
  validate,
  validation,
} from './hand-made.js';
import type { CallRecord, History, ValidationRecord } from './record.js';

/** Calls and validations, with the rules that they break: none, where the text is empty. */
type Case = readonly [
  title: string,
  rules: string,
  calls: readonly CallRecord[],
  validations: readonly ValidationRecord[],
  more?: Partial<History>,
];

const REVOKED = refused('REVOKED');
const EXPIRED = refused('EXPIRED');
const STRICT = { stalenessMs: undefined };
const BY_FEED = { validator: 'feed', byFeed: true };
const OTHER = { validator: 'slow' };
/** Acknowledged at 40. */
const ENDED = logout(20, 40, done);
const LATE = 40 + STALENESS_MS;
const AFTER_BOUND = 30 + WRITE_BOUND_MS + 1;

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'an answer "active" is not too old': [
    ['one within the staleness after the end', '', [ENDED], [validation(LATE - 1, LATE, active)]],
    ['one that is older', 'g', [ENDED], [validation(LATE, LATE + 1, active)]],
    ['one that was asked for in time, and handed over late', 'g', [ENDED], [validation(30, LATE + 1, active)]],
    [
      'one whose process stalled after it was handed over',
      '',
      [ENDED],
      [validation(30, LATE + 900, active, { handedMs: LATE })],
    ],
    ['a shorter staleness of the call', 'g', [ENDED], [validation(90, 91, active, { stalenessMs: 50 })]],
    ['a longer one', '', [ENDED], [validation(LATE, LATE + 1, active, { stalenessMs: 2 * STALENESS_MS })]],
    ['a strict one that began before the answer to the logout', '', [ENDED], [validation(39, 900, active, STRICT)]],
    ['a strict one that began after it', 'g', [ENDED], [validation(41, 42, active, STRICT)]],
    ['a logout without an answer', '', [logout(20, 40, unknown)], [validation(LATE, LATE + 1, active)]],
    [
      'a session that the service called over',
      'g',
      [logout(20, 30, unknown), validate(35, 40, REVOKED)],
      [validation(LATE, LATE + 1, active)],
    ],
    [
      'a session that another validator called over',
      'g',
      [logout(20, 30, unknown)],
      [validation(35, 40, REVOKED, OTHER), validation(LATE, LATE + 1, active)],
    ],
    ['a revocation of the subject', 'g', [revoke(20, 40, done)], [validation(LATE, LATE + 1, active)]],
    [
      'a store that came back empty',
      'g',
      [],
      [validation(LATE, LATE + 1, active)],
      { losses: [{ fromMs: 20, toMs: 40 }] },
    ],
    [
      'a token within its exp, the clock of the store, and the staleness',
      '',
      [],
      [validation(EXP_MS, EXP_MS + CLOCK_LAG_MS + STALENESS_MS, active)],
    ],
    ['a token after that', 'g', [], [validation(EXP_MS, EXP_MS + CLOCK_LAG_MS + STALENESS_MS + 1, active)]],
    ['a strict one after exp', 'g', [], [validation(EXP_MS + CLOCK_LAG_MS + 1, EXP_MS + 1_900, active, STRICT)]],
  ],
  'not active has its reason': [
    ['a session that is over', '', [ENDED], [validation(41, 42, REVOKED)]],
    ['a logout that is under way', '', [logout(20, 90, done)], [validation(21, 30, REVOKED)]],
    ['a logout without an answer', '', [logout(20, 40, unknown)], [validation(41, 42, REVOKED)]],
    ['a session that nothing has ended', 'h', [], [validation(41, 42, REVOKED)]],
    ['a logout that began afterwards', 'h', [logout(51, 60, done)], [validation(41, 42, REVOKED)]],
    ['an outage, which is no reason', 'h', [validate(20, 30, unknown)], [validation(20, 30, REVOKED)]],
    [
      'a logout of another session',
      'h',
      [issue(0, 10, 'x'), logout(20, 30, done, { sid: 'x' })],
      [validation(31, 32, REVOKED)],
    ],
    [
      'a session that was active afterwards',
      'h',
      [logout(20, 90, unknown), validate(50, 60, active)],
      [validation(41, 42, REVOKED)],
    ],
    [
      'a logout that cannot have written, since a validator found the session active after its bound',
      'h',
      [logout(20, 30, unknown)],
      [validation(AFTER_BOUND, AFTER_BOUND + 9, active, { ...STRICT, ...OTHER }), validation(4_000, 4_001, REVOKED)],
    ],
    [
      'an end that the feed sent, no answer acknowledged, and a failover took back',
      '',
      [logout(20, 30, unknown), validate(AFTER_BOUND, AFTER_BOUND + 9, active)],
      [validation(41, 42, REVOKED, BY_FEED), validation(LATE + 99, LATE + 100, active, { ...STRICT, ...OTHER })],
      { takesBack: true },
    ],
    [
      'the same on a store without replicas',
      'gh',
      [logout(20, 30, unknown), validate(AFTER_BOUND, AFTER_BOUND + 9, active)],
      [validation(41, 42, REVOKED, BY_FEED), validation(LATE + 99, LATE + 100, active, { ...STRICT, ...OTHER })],
    ],
    [
      'the same by the answers of the service, which wait for replicas',
      'gh',
      [logout(20, 30, unknown), validate(AFTER_BOUND, AFTER_BOUND + 9, active)],
      [validation(41, 42, REVOKED), validation(LATE + 99, LATE + 100, active, { ...STRICT, ...OTHER })],
      { takesBack: true },
    ],
    [
      'the same without anything that can have ended the session',
      'h',
      [validate(60, 70, active)],
      [validation(41, 42, REVOKED, BY_FEED)],
      { takesBack: true },
    ],
    ['an expiry', '', [], [validation(EXP_MS, EXP_MS + 10, EXPIRED)]],
    ['an expiry too soon', 'h', [], [validation(20, 30, EXPIRED)]],
    ['a reason that an authentic token cannot give', 'h', [], [validation(20, 30, refused('BAD_SIGNATURE'))]],
    ['an error that is not CannotTell', 'h', [], [validation(20, 30, refused('TypeError'))]],
    ['"cannot tell"', '', [], [validation(20, 30, unknown)]],
  ],
  'not active is for good': [
    [
      'an answer that is taken back at the same validator',
      'h',
      [logout(20, 90, unknown)],
      [validation(21, 22, REVOKED), validation(23, 24, active)],
    ],
    [
      'an older answer at another one',
      '',
      [logout(20, 90, unknown)],
      [validation(21, 22, REVOKED), validation(23, 24, active, OTHER)],
    ],
    [
      'an answer that was under way',
      '',
      [logout(20, 90, unknown)],
      [validation(21, 30, REVOKED), validation(29, 31, active)],
    ],
    [
      'an older answer about another token of the session',
      '',
      [logout(20, 90, unknown)],
      [validation(21, 22, REVOKED), validation(23, 24, active, { gen: 1 })],
    ],
    [
      'an expiry that is taken back',
      'h',
      [],
      [validation(EXP_MS, EXP_MS + 1, EXPIRED), validation(EXP_MS + 2, EXP_MS + 3, active)],
    ],
    ['"cannot tell", and then an answer', '', [], [validation(21, 22, unknown), validation(23, 24, active)]],
  ],
  'an answer comes in time': [
    ['one at its deadline and the slack', '', [], [validation(20, 1_020 + CALL_SLACK_MS, unknown)]],
    ['one after that', 'i', [], [validation(20, 1_021 + CALL_SLACK_MS, unknown)]],
    [
      'one of a process that stalled',
      '',
      [],
      [validation(20, 3_020 + CALL_SLACK_MS, unknown)],
      { validatorStalls: { bounded: [{ fromMs: 500, toMs: 2_500 }] } },
    ],
    [
      'one while another validator stalled',
      'i',
      [],
      [validation(20, 3_020 + CALL_SLACK_MS, unknown)],
      { validatorStalls: { slow: [{ fromMs: 500, toMs: 2_500 }] } },
    ],
  ],
};

describe('the checker of histories, of validators', () => {
  for (const [rule, cases] of Object.entries(CASES)) {
    describe(`on "${rule}"`, () => {
      for (const [title, rules, calls, validations, more] of cases) {
        it(`${rules === '' ? 'lets pass' : 'sees'}: ${title}`, () => {
          const history = { ...more, validations };
          expect(broken(calls, history), JSON.stringify(found(calls, history), null, 2)).to.equal(rules);
        });
      }
    });
  }

  it('names the session, the logout and the validation that show it', () => {
    const late = validation(LATE, LATE + 1.5, active);
    const what = 'called active 1.5 ms later than allowed after its end (logout) was acknowledged';
    expect(found([ENDED], { validations: [late] })).to.deep.equal([
      { rule: 'g', sid: 's', what, calls: [ENDED], validations: [late] },
    ]);
  });
});
