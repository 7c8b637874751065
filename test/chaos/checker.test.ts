// Tests, on histories written by hand, that the checker sees what is wrong and lets pass what is right.

import { expect } from 'chai';
import { CALL_SLACK_MS, RECOVERY_BOUND_MS } from './bounds.js';
import { WINDOW_SLACK_MS } from './checker.js';
import { WRITE_BOUND_MS } from './ends.js';
import {
  active,
  broken,
  done,
  EXP_MS,
  everywhere,
  found,
  GRACE_MS,
  granted,
  issue,
  logout,
  refresh,
  refused,
  revoke,
  unknown,
  validate,
} from './hand-made.js';
import { CALL_BOUND_MS } from './quiet.js';
import type { CallRecord, History } from './record.js';

/** Histories, each with the rules that it breaks: none, where the text is empty. */
type Case = readonly [title: string, rules: string, calls: readonly CallRecord[], more?: Partial<History>];

const REVOKED = refused('REVOKED');
const LATE = 10 + GRACE_MS + 20;
const AFTER_BOUND = 30 + WRITE_BOUND_MS + 1;
const LOSS = { losses: [{ fromMs: 100, toMs: 200 }] };

/** `count` validations, one after the other; the first `mute` of them have no answer. */
const many = (count: number, mute: number, more: Partial<CallRecord> = {}): CallRecord[] =>
  Array.from({ length: count }, (_, n) => validate(20 + n, 20.5 + n, n < mute ? unknown : active, more));
const fault = (fromMs: number, toMs: number): Partial<History> => ({
  faults: [{ kind: 'k', fromMs, toMs, recoveredAfterMs: 110 }],
});

const unnoticed = (fromMs: number, toMs: number): Partial<History> => ({
  faults: [{ kind: 'k', fromMs, toMs, recoveredAfterMs: 0, unnoticed: true }],
});
/** A refresh, and one with the same token that begins when the window can have ended, and no call is forgiven any more. */
const FIRST = refresh(20, 30, granted(1));
const AFTER_WINDOW = 31 + GRACE_MS + WINDOW_SLACK_MS;
const again = (fromMs: number): CallRecord => refresh(fromMs, fromMs + 10, granted(1));

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'one successor': [
    ['the same pair for all who ask', '', [refresh(20, 30, granted(1)), refresh(25, 40, granted(1), { node: 1 })]],
    ['two pairs of one generation', 'a', [refresh(20, 30, granted(1)), refresh(25, 40, granted(1, '!'), { node: 1 })]],
    ['a pair of another generation', 'a', [refresh(20, 30, granted(2))]],
    ["another session's pair", 'a', [refresh(20, 30, granted(1, '', 'other'))]],
    [
      'a call that was under way while the store was lost',
      '',
      [refresh(20, 30, granted(1)), refresh(150, 210, granted(1, '!'))],
      LOSS,
    ],
  ],
  'ended is ended': [
    ['a validation that began before the answer', '', [logout(20, 40, done), validate(39, 50, active)]],
    ['one that began after it', 'b', [logout(20, 40, done), validate(41, 50, active)]],
    ['a refresh that began before the answer', '', [logout(20, 40, done), refresh(39, 50, granted(1))]],
    ['one that began after it', 'b', [logout(20, 40, done), refresh(41, 50, granted(1))]],
    [
      'a refresh that is refused as a reuse, for the session was active then',
      'b',
      [refresh(20, 30, granted(1)), logout(40, 50, done), refresh(LATE, LATE + 9, refused('REUSED'))],
    ],
    ['a revocation of a known session', 'b', [revoke(20, 40, done), validate(41, 50, active)]],
    ['a revocation during the login', '', [issue(0, 30), revoke(20, 40, done), validate(41, 50, active)]],
    ['a login after the revocation', '', [revoke(20, 40, done), issue(41, 50), validate(51, 60, active)]],
    ['a revocation of another subject', '', [revoke(20, 40, done, { subject: 'bob' }), validate(41, 50, active)]],
    [
      'a logout everywhere by another session',
      'b',
      [issue(0, 10, 'other'), everywhere(20, 40, done, { sid: 'other' }), validate(41, 50, active)],
    ],
    [
      'one that repeats an earlier one, for a session that began in between',
      '',
      [
        issue(0, 5, 'other'),
        everywhere(10, 20, done, { sid: 'other' }),
        issue(21, 30),
        everywhere(40, 50, done, { sid: 'other' }),
        validate(51, 60, active),
      ],
    ],
    [
      'one that cannot be a repetition, since its session was active after the earlier one',
      'b',
      [
        issue(0, 5, 'other'),
        everywhere(10, 20, unknown, { sid: 'third' }),
        issue(21, 30),
        validate(20 + WRITE_BOUND_MS + 1, 20 + WRITE_BOUND_MS + 9, active, { sid: 'other' }),
        everywhere(3_100, 3_200, done, { sid: 'other' }),
        validate(3_201, 3_210, active),
      ],
    ],
    [
      'a session that was said to be over, by a logout that was never answered',
      'b',
      [logout(20, 30, unknown), validate(40, 50, REVOKED), validate(51, 60, active)],
    ],
    ['a store that came back empty', 'b', [validate(201, 210, active)], LOSS],
    ['a login while the store was lost', '', [issue(90, 150), validate(201, 210, active)], LOSS],
  ],
  'an answered pair is active': [
    ['a denial for which there is no cause', 'c', [refresh(20, 30, granted(1)), validate(40, 50, REVOKED, { gen: 1 })]],
    ['a logout that began before the denial was answered', '', [validate(40, 50, REVOKED), logout(49, 60, done)]],
    ['one that began after it', 'c', [validate(40, 50, REVOKED), logout(51, 60, done)]],
    ['a logout without an answer', '', [logout(20, 30, unknown), validate(900, 950, REVOKED)]],
    ['one that may yet write', '', [logout(20, 30, unknown), validate(40, 50, active), validate(60, 70, REVOKED)]],
    [
      'one that cannot have written, since the session was active after its bound',
      'c',
      [
        logout(20, 30, unknown),
        validate(AFTER_BOUND, AFTER_BOUND + 9, active),
        validate(AFTER_BOUND + 10, AFTER_BOUND + 19, REVOKED),
      ],
    ],
    ['a logout that was refused', 'cd', [logout(20, 30, refused('MALFORMED')), validate(40, 50, REVOKED)]],
    ['a logout of another session', 'c', [logout(20, 30, done, { sid: 'other' }), validate(40, 50, REVOKED)]],
    ['a store that came back empty', '', [validate(201, 210, REVOKED)], LOSS],
    ['a login after the loss', 'c', [issue(201, 210), validate(220, 230, REVOKED)], LOSS],
    ['"cannot tell"', '', [validate(20, 30, unknown)]],
  ],
  'an end has its cause': [
    ['a refresh that is refused without any', 'd', [refresh(20, 30, refused('REVOKED', 'logout'))]],
    ['a cause that is there', '', [logout(11, 15, unknown), refresh(20, 30, refused('REVOKED', 'logout'))]],
    ['another cause than there is', 'd', [logout(11, 15, done), refresh(20, 30, refused('REVOKED', 'not-before'))]],
    ['an entry that the store has lost', 'd', [logout(11, 15, done), refresh(20, 30, refused('REVOKED', 'lost'))]],
    [
      'a reuse after the window',
      '',
      [
        refresh(10, 20, granted(1)),
        refresh(LATE, LATE + 9, refused('REUSED')),
        refresh(LATE + 10, LATE + 19, refused('REVOKED', 'reuse'), { gen: 1 }),
      ],
    ],
    [
      'a reuse that can only have come within the window',
      'd',
      [
        refresh(10, 20, granted(1)),
        refresh(21, 25, unknown),
        refresh(4_000, 4_010, refused('REVOKED', 'reuse'), { gen: 1 }),
      ],
      { graceMs: 20_000 },
    ],
    [
      'a retry within the window that is refused as a reuse',
      'd',
      [refresh(20, 30, granted(1)), refresh(40, 20 + GRACE_MS - 1, refused('REUSED'))],
    ],
    [
      'a late duplicate, two generations behind',
      '',
      [refresh(20, 30, granted(1)), refresh(40, 50, granted(2), { gen: 1 }), refresh(60, 70, refused('REUSED'))],
    ],
    ['a reuse of a token that no other call sent', 'd', [refresh(20, 30, refused('REUSED'))]],
    ['an expiry', '', [validate(EXP_MS, EXP_MS + 10, refused('EXPIRED'))]],
    ['an expiry too soon', 'd', [validate(20, 30, refused('EXPIRED'))]],
    ['a token that is active after its exp', 'd', [validate(EXP_MS + 1_500, EXP_MS + 1_510, active)]],
    ['an answer that makes no sense', 'd', [refresh(20, 30, refused('BAD_SIGNATURE'))]],
    [
      'a validation that is refused as a reuse',
      'd',
      [refresh(11, 12, granted(1)), validate(20, 30, refused('REUSED'))],
    ],
    ['a login that is refused', 'd', [{ ...issue(20, 30, 'x'), outcome: refused('UNAUTHENTICATED') }]],
  ],
  'a window ends': [
    ['a retry within it', '', [FIRST, again(AFTER_WINDOW - 1)]],
    ['a retry after it', 'f', [FIRST, again(AFTER_WINDOW)]],
    ['a retry after it, while slots only moved', 'f', [FIRST, again(AFTER_WINDOW)], unnoticed(40, 50)],
    ['a retry after an outage, which does not count', '', [FIRST, again(AFTER_WINDOW)], fault(40, 50)],
    ['a retry long after an outage', 'f', [FIRST, again(AFTER_WINDOW + 200)], fault(40, 50)],
    [
      'a retry at a node that left a call without an answer in between',
      '',
      [FIRST, validate(40, 50, unknown), again(AFTER_WINDOW)],
    ],
    [
      'a retry after it, though the other node left a call without an answer',
      'f',
      [FIRST, validate(40, 50, unknown, { node: 1 }), again(AFTER_WINDOW)],
    ],
    ['a retry during an outage', '', [FIRST, again(AFTER_WINDOW)], fault(AFTER_WINDOW - 1, AFTER_WINDOW + 1)],
  ],
  'everything ends in time': [
    ['a call within its deadline and the slack', '', [validate(20, 30 + CALL_SLACK_MS, unknown, { deadlineMs: 20 })]],
    ['a call that outlives its deadline', 'e', [validate(20, 41 + CALL_SLACK_MS, unknown, { deadlineMs: 20 })]],
    [
      'one whose deadline is longer than the bound',
      'e',
      [validate(20, 21 + CALL_BOUND_MS + CALL_SLACK_MS, unknown, { deadlineMs: 60_000 })],
    ],
    [
      'a harness that stalled',
      '',
      [validate(20, 1_041 + CALL_SLACK_MS, unknown, { deadlineMs: 20 })],
      {
        stalls: [{ fromMs: 10, toMs: 1_030 }],
      },
    ],
    ['a recovery', '', [], { faults: [{ kind: 'k', fromMs: 1, toMs: 2, recoveredAfterMs: RECOVERY_BOUND_MS }] }],
    [
      'a late one, while the harness stalled',
      '',
      [],
      {
        faults: [{ kind: 'k', fromMs: 1, toMs: 2, recoveredAfterMs: RECOVERY_BOUND_MS + 900 }],
        stalls: [{ fromMs: 1_000, toMs: 2_000 }],
      },
    ],
    ['a call without an answer, now and then', '', many(100, 5)],
    ['many without an answer, though nothing is wrong', 'e', many(100, 6)],
    ['many while something is wrong', '', many(100, 100), fault(0, 5)],
    ['many after it, though both nodes have said that they serve', 'e', many(200, 200), fault(-9, 5)],
    ['many while the harness stalled', '', many(100, 100), { stalls: [{ fromMs: 20, toMs: 500 }] }],
    ['many of clients without patience', '', many(100, 100, { deadlineMs: 20 })],
    ['a call without an answer, now and then, while slots only move', '', many(100, 5), unnoticed(0, 500)],
    ['many without an answer, while slots only move', 'e', many(100, 6), unnoticed(0, 500)],
    ['no recovery', 'e', [], { faults: [{ kind: 'k', fromMs: 1, toMs: 2, recoveredAfterMs: undefined }] }],
  ],
};

describe('the checker of histories', () => {
  for (const [rule, cases] of Object.entries(CASES)) {
    describe(`on "${rule}"`, () => {
      for (const [title, rules, calls, more] of cases) {
        it(`${rules === '' ? 'lets pass' : 'sees'}: ${title}`, () => {
          expect(broken(calls, more), JSON.stringify(found(calls, more), null, 2)).to.equal(rules);
        });
      }
    });
  }

  it('names the session and the calls that show it', () => {
    const [end, after] = [logout(20, 40, done), validate(41, 50, active)];
    expect(found([end, after])).to.deep.equal([
      { rule: 'b', sid: 's', what: 'stands after its end (logout) was acknowledged', calls: [end, after] },
    ]);
  });
});
