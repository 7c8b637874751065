// Tests of introspection: what it says of each token, by the rule of RefreshToken, and that it changes nothing.

import { expect } from 'chai';
import type { Policy } from '../../src/core/policy.js';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import type { Pair } from '../../src/core/session/token-pair.js';
import { type Introspection, introspect } from '../../src/core/use-cases/introspect.js';
import { altered, failure, Scene } from '../support/scene.js';
import { aCall, DAY, MINUTE, POLICY, SECOND } from '../support/world.js';

const ISSUER = 'https://login.example.com';
const keyOf = ({ sessionId }: Pair): StoreKey => ({ kind: 'session', subject: 'alice', sessionId });
const adopted = (payload: Record<string, unknown>): string => JSON.stringify({ use: 'adopted', typ: 'JWT', payload });

describe('an introspection', () => {
  let scene: Scene;
  const start = (policy: Partial<Policy> = {}): Scene => {
    scene = new Scene(policy);
    return scene;
  };
  const ask = (token: string, jwtAudience = ''): Promise<Introspection> =>
    scene.run((context, call) => introspect(context, call, { token, jwtAudience }));
  /** `active`, or the problem and its cause. */
  const verdict = async (token: string): Promise<string> => {
    const found = await ask(token);
    return found.active ? 'active' : [found.problem, found.why].filter((each) => each !== undefined).join(' ');
  };
  beforeEach(() => void start());

  it('answers what an access token holds', async () => {
    start({ issuer: ISSUER, audience: ['orders', 'mail'] });
    const { accessToken, accessExpiresAt, sessionId } = await scene.issue(
      'alice',
      { role: 'editor' },
      { clientId: 'shop', scope: 'read write' },
    );
    const { active, response, jwt } = await ask(accessToken);
    expect([active, jwt]).to.deep.equal([true, undefined]);
    expect(response).to.deep.equal({
      ...{ active: true, token_use: 'access', token_type: 'Bearer', iss: ISSUER, aud: ['orders', 'mail'] },
      ...{ sub: 'alice', sid: sessionId, jti: `a${sessionId}.0`, iat: scene.world.nowMs / 1000, exp: accessExpiresAt },
      ...{ client_id: 'shop', scope: 'read write', role: 'editor' },
    });
  });

  it('answers what a refresh token holds', async () => {
    start({ audience: ['orders'] });
    const { refreshToken, refreshExpiresAt, sessionId } = await scene.issue();
    expect((await ask(refreshToken)).response).to.deep.equal({
      ...{ active: true, token_use: 'refresh', aud: 'orders', sub: 'alice', sid: sessionId },
      ...{ jti: `r${sessionId}.0`, iat: scene.world.nowMs / 1000, exp: refreshExpiresAt },
    });
  });

  it('lets no claim of a login replace a member', async () => {
    const { accessToken } = await scene.issue('alice', { active: false, token_use: 'refresh', username: 'al' });
    const { response } = await ask(accessToken);
    expect(response).to.include({ active: true, token_use: 'access', username: 'al' });
  });

  it('names no session of an access token of another issuer', async () => {
    const nowS = scene.world.nowMs / 1000;
    await scene.issue();
    scene.world.nowMs += SECOND;
    const claims = { token_type: 'access', sub: 'alice', jti: 'x', iat: nowS + 1, exp: nowS + 60 };
    const { response } = await ask(adopted(claims));
    expect(response).to.include({ active: true, jti: 'x' }).and.not.have.property('sid');
  });

  it('says of a bad token that it is not active, and nothing else', async () => {
    const { accessToken } = await scene.issue();
    await scene.logout(accessToken, '');
    expect(await ask(accessToken)).to.deep.equal({
      ...{ active: false, problem: 'REVOKED', why: 'logout', response: { active: false }, jwt: undefined },
    });
    for (const [token, wanted] of [
      [altered(accessToken, { sub: undefined }), 'MISSING_CLAIM'],
      [altered(accessToken, { token_type: 'other' }), 'WRONG_TYPE'],
      [altered(accessToken, { token_type: 'refresh' }), 'WRONG_TYPE'],
      [JSON.stringify({ ...JSON.parse(accessToken), typ: 'token-introspection+jwt' }), 'WRONG_TYPE'],
    ] as const) {
      expect(await verdict(token)).to.equal(wanted);
    }
  });

  it('refuses an empty text and an audience that is no client id; a text that is too large is no token', async () => {
    expect(await failure(ask(''))).to.equal('REQUIRED token');
    expect(await verdict('x'.repeat(8193))).to.equal('MALFORMED');
    const { accessToken } = await scene.issue();
    expect(await failure(ask(accessToken, 'ä'))).to.equal('INVALID jwt_audience');
  });

  it('cannot tell while the store does not answer', async () => {
    const { accessToken, refreshToken } = await scene.issue();
    for (const token of [accessToken, refreshToken]) {
      const asked = failure(introspect(scene.context, aCall(), { token, jwtAudience: '' }));
      await scene.fail();
      expect(await asked).to.equal('UNAVAILABLE');
    }
  });

  it('cannot tell of an end that too few replicas have', async () => {
    const first = await scene.issue();
    await scene.logout('', first.refreshToken);
    scene.context = scene.node();
    scene.world.replicated = false;
    expect(await failure(ask(first.refreshToken))).to.equal('UNAVAILABLE');
  });

  it('cannot tell of a refresh token whose successor too few replicas have', async () => {
    const first = await scene.issue();
    await scene.refresh(first.refreshToken);
    scene.world.nowMs += POLICY.graceMs + 1;
    scene.context = scene.node();
    scene.world.replicated = false;
    expect(await failure(ask(first.refreshToken))).to.equal('UNAVAILABLE');
  });

  describe('of a refresh token', () => {
    /** Says what is wanted, changes nothing, and RefreshToken then agrees. */
    async function expectVerdict(token: string, wanted: string, traded = wanted): Promise<void> {
      scene.takeEvents();
      const before = scene.world.snapshot();
      expect(await verdict(token)).to.equal(wanted);
      expect(scene.world.snapshot()).to.deep.equal(before);
      expect(scene.takeEvents().filter((event) => event !== 'session_lost')).to.deep.equal([]);
      const [problem] = traded.split(' ');
      expect(await failure(scene.refresh(token))).to.equal(problem === 'active' ? 'none' : problem);
    }

    it('says that the current one is active, however often it is asked', async () => {
      const { refreshToken } = await scene.issue();
      expect(await verdict(refreshToken)).to.equal('active');
      await expectVerdict(refreshToken, 'active');
    });

    it('says that one that was traded is active within the grace window, as a retry gets the pair', async () => {
      const first = await scene.issue();
      await scene.refresh(first.refreshToken);
      scene.world.nowMs += POLICY.graceMs;
      await expectVerdict(first.refreshToken, 'active');
    });

    it('says that it is not once it has expired, although a retry gets the pair', async () => {
      start({ graceMs: MINUTE });
      const first = await scene.issue();
      scene.world.nowMs += POLICY.refreshTtlMs - SECOND;
      await scene.refresh(first.refreshToken);
      scene.world.nowMs += SECOND;
      await expectVerdict(first.refreshToken, 'EXPIRED', 'active');
    });

    it('says that it is not after the window, and ends nothing', async () => {
      const first = await scene.issue();
      const second = await scene.refresh(first.refreshToken);
      scene.world.nowMs += POLICY.graceMs + 1;
      expect(await verdict(first.refreshToken)).to.equal('REUSED');
      expect(await scene.verdict(second.accessToken)).to.equal('active');
      await expectVerdict(first.refreshToken, 'REUSED');
    });

    it('says that one that is two behind is not active', async () => {
      const first = await scene.issue();
      await scene.refresh((await scene.refresh(first.refreshToken)).refreshToken);
      await expectVerdict(first.refreshToken, 'REUSED');
    });

    it('says that one is not whose session was logged out, ended by reuse, or cut off', async () => {
      const out = await scene.issue();
      await scene.logout('', out.refreshToken);
      await expectVerdict(out.refreshToken, 'REVOKED logout');
      const cut = await scene.issue();
      await scene.revokeSubject('alice');
      await expectVerdict(cut.refreshToken, 'REVOKED not-before');
      const first = await scene.issue();
      const second = await scene.refresh(first.refreshToken);
      scene.world.nowMs += POLICY.graceMs + 1;
      await failure(scene.refresh(first.refreshToken));
      await expectVerdict(second.refreshToken, 'REVOKED reuse');
    });

    it('says that one is not whose session the store has lost, and writes no end', async () => {
      const first = await scene.issue();
      const second = await scene.refresh(first.refreshToken);
      scene.context = scene.node();
      scene.world.evict(second.sessionId);
      expect(await verdict(second.refreshToken)).to.equal('REVOKED lost');
      expect(scene.world.get(keyOf(second))).to.equal(undefined);
      await expectVerdict(second.refreshToken, 'REVOKED lost');
    });

    it('says that one is not that has expired', async () => {
      const { refreshToken } = await scene.issue();
      scene.world.nowMs += POLICY.refreshTtlMs;
      await expectVerdict(refreshToken, 'EXPIRED');
    });

    it('says that one is active that is ahead of the store, and heals nothing', async () => {
      const first = await scene.issue();
      const second = await scene.refresh(first.refreshToken);
      const old = scene.world.get(keyOf(first));
      const third = await scene.refresh(second.refreshToken);
      scene.context = scene.node();
      if (old) scene.world.put(keyOf(first), old);
      await expectVerdict(third.refreshToken, 'active');
    });

    it('goes by the settings of today', async () => {
      const { refreshToken } = await scene.issue();
      scene.context = scene.node({ refreshTtlMs: DAY, sessionMaxMs: DAY });
      expect((await ask(refreshToken)).response['exp']).to.equal((scene.world.nowMs + DAY) / 1000);
      scene.world.nowMs += DAY;
      await expectVerdict(refreshToken, 'EXPIRED');
    });
  });

  describe('that is signed', () => {
    const claimsIn = (jwt = 'null') => JSON.parse(jwt)?.payload;

    it('is for the client, and has the response within, without a subject or an end of its own', async () => {
      start({ issuer: ISSUER });
      const { accessToken } = await scene.issue();
      const { response, jwt } = await ask(accessToken, 'orders');
      expect(claimsIn(jwt)).to.deep.equal({
        ...{ iss: ISSUER, aud: 'orders', iat: scene.world.nowMs / 1000, token_introspection: response },
      });
    });

    it('says no more of a bad token', async () => {
      start({ issuer: ISSUER });
      expect(claimsIn((await ask(adopted({}), 'orders')).jwt)).to.deep.include({
        ...{ token_introspection: { active: false } },
      });
    });

    it('is never taken for a token', async () => {
      start({ issuer: ISSUER });
      const { accessToken } = await scene.issue();
      const { jwt = '' } = await ask(accessToken, 'orders');
      expect(await scene.verdict(jwt)).to.equal('MISSING_CLAIM');
      expect(await failure(scene.refresh(jwt))).to.equal('MISSING_CLAIM');
      // Not even if it had the claims of a token.
      const { payload } = JSON.parse(accessToken);
      expect(await scene.verdict(altered(jwt, payload))).to.equal('WRONG_TYPE');
    });

    it('is not made without an issuer', async () => {
      const { accessToken } = await scene.issue();
      expect((await ask(accessToken, 'orders')).jwt).to.equal(undefined);
    });
  });
});
