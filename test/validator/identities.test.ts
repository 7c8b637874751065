// Tests of the identities of active tokens: what V8 makes of them.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { active } from '../../src/validator/wire-answer.js';

describe('the identities of active tokens', () => {
  const identity = (n: number) =>
    active(
      {
        ...{ subject: `user-${n}`, sessionId: `session-${n}`, tokenId: `token-${n}`, issuer: '', audience: [] },
        ...{ issuedAt: 1_795_354_957 + n, expiresAt: 1_795_355_257 + n },
      },
      { role: 'user' },
    );

  it('share one hidden class, so that reading them is fast, and takes no memory for each', () => {
    setFlagsFromString('--allow-natives-syntax');
    const haveSameClass: (one: object, other: object) => boolean = runInNewContext(
      '(one, other) => %HaveSameMap(one, other)',
    );
    expect(haveSameClass({ one: 1 }, { other: 1 })).to.equal(false);
    // Only now: V8 compiles the function at its first call.
    setFlagsFromString('--no-allow-natives-syntax');
    const all = Array.from({ length: 100 }, (_, n) => identity(n));
    expect(all.slice(1).filter((each) => !haveSameClass(each, all[0] as object))).to.have.lengthOf(0);
  });

  it('are frozen to the last claim', () => {
    const found = active(
      { subject: 'u', sessionId: 's', tokenId: 't', issuedAt: 1, expiresAt: 2, issuer: '', audience: ['orders'] },
      { roles: ['admin'], address: { city: 'x' } },
    );
    expect([found, found.audience, found.claims, ...Object.values(found.claims)].every(Object.isFrozen)).to.equal(true);
  });
});
