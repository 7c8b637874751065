// Tests of the cache of verified tokens: it never holds a token's expiry, key validity or revocation.

import { expect } from 'chai';
import { tokenMemory } from '../../src/adapters/lru/token-memory.js';
import type { Context } from '../../src/core/context.js';
import type { Verified } from '../../src/core/session/verified-token.js';
import { TokenRefused } from '../../src/core/token/errors.js';
import type { VerifiedJws } from '../../src/core/token/verified-jws.js';
import { validate } from '../../src/core/use-cases/validate.js';
import { altered, failure, Scene } from '../support/scene.js';
import { aCall, MINUTE, plainKeys, SECOND, settle } from '../support/world.js';

/** A scene that counts how often a token's signature is checked, and whose keys can be taken away. */
class Counting extends Scene {
  opens = 0;
  readonly gone = new Set<string>();

  constructor(most = 100) {
    super();
    const { context } = this;
    const verify = (token: string): VerifiedJws => {
      this.opens++;
      const opened = plainKeys.verify(token);
      if (this.gone.has(opened.kid ?? '')) throw new TokenRefused('UNKNOWN_KEY', 'the token names no key of ours');
      return opened;
    };
    const keys: Context['keys'] = { ...plainKeys, verify, accepts: (kid) => !this.gone.has(kid) };
    this.context = { ...context, keys, verified: tokenMemory<Verified>(most) };
  }
}

describe('an access token that comes again', () => {
  let scene: Counting;
  let token: string;
  beforeEach(async () => {
    scene = new Counting();
    ({ accessToken: token } = await scene.issue());
    expect(await scene.verdict(token)).to.equal('active');
    expect(scene.opens).to.equal(1);
  });

  it('has its signature checked once', async () => {
    for (let time = 0; time < 5; time++) expect(await scene.verdict(token)).to.equal('active');
    expect(scene.opens).to.equal(1);
  });

  it('is asked about in the store each time', async () => {
    await scene.logout(token, '');
    expect(await scene.verdict(token)).to.equal('REVOKED logout');
    const { accessToken: other } = await scene.issue();
    expect(await scene.verdict(other)).to.equal('active');
    await scene.revokeSubject('alice');
    expect(await scene.verdict(other)).to.equal('REVOKED not-before');
  });

  it('is unavailable while the store is away', async () => {
    const refusal = failure(validate(scene.context, aCall(), token));
    await settle();
    expect(scene.world.pending).to.have.length(1);
    scene.world.setReachable(false);
    expect(await refusal).to.equal('UNAVAILABLE');
  });

  it('expires when its time is over, and is forgotten', async () => {
    scene.world.nowMs += 5 * MINUTE - SECOND;
    expect(await scene.verdict(token)).to.equal('active');
    scene.world.nowMs += SECOND;
    expect(await scene.verdict(token)).to.equal('EXPIRED');
    expect(scene.context.verified.get(token)).to.equal(undefined);
  });

  it('is refused once its key is gone, and is forgotten', async () => {
    scene.gone.add('k');
    expect(await scene.verdict(token)).to.equal('UNKNOWN_KEY');
    expect(scene.context.verified.get(token)).to.equal(undefined);
  });

  it('is no other token, whatever little differs', async () => {
    expect(
      await scene.verdict(altered(token, { gen: 1, jti: String(JSON.parse(token).payload.jti).replace('.0', '.1') })),
    ).to.equal('REVOKED lost');
    expect(await scene.verdict(token)).to.equal('active');
  });

  it('is no refresh token, nor is that remembered', async () => {
    const { refreshToken } = await scene.issue();
    for (let time = 0; time < 2; time++) expect(await scene.verdict(refreshToken)).to.equal('WRONG_TYPE');
    expect(scene.context.verified.get(refreshToken)).to.equal(undefined);
  });
});

describe('the memory for verified tokens', () => {
  it('holds a bounded number, and drops what was not asked for for longest', async () => {
    const scene = new Counting(2);
    const [a, b, c] = (await Promise.all(['a', 'b', 'c'].map((name) => scene.issue(name)))).map(
      (pair) => pair.accessToken,
    );
    for (const token of [a, b, a, c]) expect(await scene.verdict(token ?? '')).to.equal('active');
    expect(scene.opens).to.equal(3);
    for (const token of [a, b]) expect(await scene.verdict(token ?? '')).to.equal('active');
    expect(scene.opens, 'b had to go').to.equal(4);
  });

  it('holds fewer of large ones', () => {
    const memory = tokenMemory<object>(4);
    for (const letter of ['a', 'b', 'c', 'd']) memory.set(letter.repeat(2_000), {});
    expect(['a', 'b', 'c', 'd'].filter((letter) => memory.get(letter.repeat(2_000)))).to.deep.equal(['c', 'd']);
  });

  it('takes no text for another one that ends alike', () => {
    const memory = tokenMemory<object>(4);
    const [first, second] = [{}, {}];
    const [one, other] = ['a', 'b'].map((letter) => letter + 'x'.repeat(100)) as [string, string];
    memory.set(one, first);
    expect(memory.get(other)).to.equal(undefined);
    memory.delete(other);
    expect(memory.get(one)).to.equal(first);
    memory.set(other, second);
    expect([memory.get(one), memory.get(other)]).to.deep.equal([undefined, second]);
  });

  it('of no size remembers nothing', async () => {
    const scene = new Counting(0);
    const { accessToken } = await scene.issue();
    for (let time = 0; time < 2; time++) expect(await scene.verdict(accessToken)).to.equal('active');
    expect(scene.opens).to.equal(2);
  });
});
