// Tests that no subject and no session has the keys of another, whatever they are called.

import { expect } from 'chai';
import fc from 'fast-check';
import { keyNames } from '../../src/adapters/redis/keys.js';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import { isSessionId, isSubject, makeSessionId } from '../../src/core/token/session-id.js';

/** Names made of what keys are made of. */
const subject = fc
  .array(fc.constantFrom('{', '}', ':', '\n', '\0', 's', 'u', 'lk:1:', 'born', 'é', '😀', '__proto__'), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''))
  .filter(isSubject);
const sessionId = fc
  .tuple(fc.nat(2 ** 40), fc.uint8Array({ minLength: 10, maxLength: 10 }))
  .map(([startMs, entropy]) => makeSessionId(startMs, entropy));
const key: fc.Arbitrary<StoreKey> = fc.oneof(
  fc.record({ kind: fc.constant('session' as const), subject, sessionId }),
  fc.record({ kind: fc.constant('not-before' as const), subject }),
  fc.record({ kind: fc.constant('birth' as const), shard: fc.nat(63) }),
);

describe('the keys of the store', () => {
  it('are one key only where they are of one kind, one subject and one session', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const [first, second] = [...keyNames([one]), ...keyNames([other])];
        if (JSON.stringify(one) === JSON.stringify(other)) expect(first).to.equal(second);
        else expect(first).not.to.equal(second);
      }),
      { numRuns: 5_000 },
    );
  });

  it('are of one form, into which no name can write', () => {
    fc.assert(
      fc.property(key, (each) => {
        const [name] = keyNames([each]);
        expect(name).to.match(/^lk:1:\{[0-9a-z]{3}\}:(s:[0-9a-f-]{36}|u:[0-9a-f]{32}|born)$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('take no session id but a UUIDv7 to the letter', () => {
    fc.assert(
      fc.property(sessionId, fc.nat(36), fc.constantFrom('{', '}', ':', '\n', 'A', ' ', '\0', ''), (id, at, bit) => {
        expect(isSessionId(id)).to.equal(true);
        expect(isSessionId(id.slice(0, at) + bit + id.slice(at + (bit === '' ? 1 : 0)))).to.equal(
          bit === '' && at === 36,
        );
      }),
    );
  });
});
