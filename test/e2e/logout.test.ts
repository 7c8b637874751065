// Tests of what a logout ends and what it leaves, over gRPC: each token, both, all sessions, and the long dead.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { failureOfCall, type TestClient } from '../support/auth-client.js';
import type { RedisServer } from '../support/redis-server.js';
import { age, entriesIn } from './entries.js';
import { Stage } from './stage.js';
import { craft, expired, nowS, sessionIdOf } from './tokens.js';

const DAY_S = 86_400;
const DAY_MS = DAY_S * 1000;

describe('Logout', () => {
  const stage = new Stage();
  let redis: RedisServer;
  let client: TestClient;
  before(async () => {
    redis = await stage.redis();
    // No window: a used token is superseded at once, and what was refused as reuse would show.
    ({ client } = await stage.serveHere(redis, { REFRESH_GRACE: '0s', SESSION_MAX: '30d' }));
  });
  after(() => stage.clear());

  const issue = (subject = 'alice') => client.issue(subject);
  const refused = async (request: Parameters<TestClient['logout']>[0]) => {
    const { code, reason, field, fieldReason } = await failureOfCall(client.logout(request));
    return [code, reason ?? `${field} ${fieldReason}`];
  };
  async function expectOver(...pairs: readonly TokenPair[]): Promise<void> {
    for (const { accessToken, refreshToken } of pairs) {
      expect(await client.verdict(accessToken)).to.equal('REVOKED');
      expect((await failureOfCall(client.refresh(refreshToken))).reason).to.equal('REVOKED');
    }
  }
  /** Spends the refresh token: at the end of a test alone. */
  async function expectStanding(...pairs: readonly TokenPair[]): Promise<void> {
    for (const { accessToken, refreshToken } of pairs) {
      expect(await client.verdict(accessToken)).to.equal('active');
      await client.refresh(refreshToken);
    }
  }
  async function expectNothingWritten(work: () => Promise<unknown>): Promise<void> {
    const before = await redis.calls('set');
    await work();
    expect(await redis.calls('set')).to.equal(before);
  }

  describe('of a session', () => {
    it('takes the access token alone, the refresh token alone, or both, and ends no other session', async () => {
      const [a, b, c, other] = [await issue(), await issue(), await issue(), await issue()];
      await client.logout({ accessToken: a.accessToken });
      await client.logout({ refreshToken: b.refreshToken });
      await client.logout({ accessToken: c.accessToken, refreshToken: c.refreshToken });
      await expectOver(a, b, c);
      await expectStanding(other);
    });

    it('ends both sessions where the two tokens are of different ones, also of different subjects', async () => {
      const [a, b] = [await issue('alice'), await issue('bob')];
      await client.logout({ accessToken: a.accessToken, refreshToken: b.refreshToken });
      await expectOver(a, b);
    });

    it('takes tokens that are expired', async () => {
      for (const kind of ['access', 'refresh'] as const) {
        const pair = await issue();
        await client.logout({ [`${kind}Token`]: expired(kind, pair.sessionId) });
        await expectOver(pair);
      }
    });

    it('takes superseded tokens of any age, and is no reuse', async () => {
      for (const kind of ['accessToken', 'refreshToken'] as const) {
        const first = await issue();
        const last = await client.refresh((await client.refresh(first.refreshToken)).refreshToken);
        await client.logout({ [kind]: first[kind] });
        await expectOver(first, last);
      }
    });

    it('can be repeated, and then writes nothing', async () => {
      const { accessToken, refreshToken } = await issue();
      await client.logout({ refreshToken });
      await expectNothingWritten(async () => {
        await client.logout({ refreshToken });
        await client.logout({ accessToken });
      });
    });

    it('ignores a bad access token beside a good refresh token', async () => {
      for (const bad of ['nonsense', 'a'.repeat(9_000), (await issue()).refreshToken]) {
        const pair = await issue();
        await client.logout({ refreshToken: pair.refreshToken, accessToken: bad });
        await expectOver(pair);
      }
    });

    it('refuses a bad refresh token beside a good access token, and ends nothing', async () => {
      const pair = await issue();
      const { accessToken } = pair;
      const [head, , signature] = pair.refreshToken.split('.');
      const [, otherPayload] = (await issue()).refreshToken.split('.');
      const forged = `${head}.${otherPayload}.${signature}`;
      expect(await refused({ accessToken, refreshToken: 'nonsense' })).to.deep.equal(['UNAUTHENTICATED', 'MALFORMED']);
      expect(await refused({ accessToken, refreshToken: forged })).to.deep.equal(['UNAUTHENTICATED', 'BAD_SIGNATURE']);
      expect(await refused({ accessToken, refreshToken: accessToken })).to.deep.equal([
        'UNAUTHENTICATED',
        'WRONG_TYPE',
      ]);
      expect(await refused({ accessToken, refreshToken: 'a'.repeat(9_000) })).to.deep.equal([
        'INVALID_ARGUMENT',
        'refresh_token TOO_LARGE',
      ]);
      await expectStanding(pair);
    });

    it('refuses nothing at all, one of the wrong kind, and one that is not authentic', async () => {
      const { accessToken, refreshToken } = await issue();
      expect(await refused({})).to.deep.equal(['INVALID_ARGUMENT', 'refresh_token REQUIRED']);
      expect(await refused({ accessToken: refreshToken })).to.deep.equal(['UNAUTHENTICATED', 'WRONG_TYPE']);
      expect(await refused({ refreshToken: accessToken })).to.deep.equal(['UNAUTHENTICATED', 'WRONG_TYPE']);
      expect(await refused({ accessToken: 'a.b.c' })).to.deep.equal(['UNAUTHENTICATED', 'MALFORMED']);
      expect(await refused({ accessToken: 'a'.repeat(9_000) })).to.deep.equal([
        'INVALID_ARGUMENT',
        'access_token TOO_LARGE',
      ]);
      expect(await client.verdict(accessToken)).to.equal('active');
    });

    it('of one that is long dead is done, and writes nothing', async () => {
      await age(redis, 100 * DAY_MS);
      // A new node: one that has seen the births as they were would restore them.
      const late = await stage.serveHere(redis, { REFRESH_GRACE: '0s', SESSION_MAX: '30d' });
      const times = { issuedAt: nowS() - 31 * DAY_S, expiresAt: nowS() - 24 * DAY_S };
      const old = { ...times, sessionId: sessionIdOf(31 * DAY_MS) };
      await expectNothingWritten(async () => {
        await late.client.logout({ refreshToken: craft('refresh', old) });
        await late.client.logout({ accessToken: craft('access', old) });
      });
      // The end is written for an expired token whose session could still be active.
      const younger = { ...times, sessionId: sessionIdOf(29 * DAY_MS) };
      await late.client.logout({ refreshToken: craft('refresh', younger) });
      const { sessions } = await entriesIn(redis);
      const entry = sessions.find(({ key }) => key.endsWith(younger.sessionId));
      expect(entry?.text).to.match(/ended logout$/);
      expect(entry?.leftMs).to.be.closeTo(DAY_MS + 3_600_000, 10_000);
    });
  });

  describe('of all sessions', () => {
    const allSessions = true;

    it('takes either active token, ends every session of the subject and of no other', async () => {
      for (const kind of ['accessToken', 'refreshToken'] as const) {
        const [a, b, other] = [await issue(), await issue(), await issue('bob')];
        const c = await client.refresh((await issue()).refreshToken);
        await client.logout({ [kind]: a[kind], allSessions });
        await expectOver(a, b, c);
        await expectStanding(other, await issue());
      }
    });

    it('writes one entry, however many sessions there are', async () => {
      const pairs = await Promise.all(Array.from({ length: 20 }, () => issue('frank')));
      const before = await redis.calls('set');
      await client.logout({ refreshToken: pairs[0]?.refreshToken ?? '', allSessions });
      // The entry, and the count in the birth record.
      expect(await redis.calls('set')).to.equal(before + 2);
      await expectOver(...pairs);
    });

    it('can be repeated with the same token, writes nothing then, and ends no login from in between', async () => {
      const { accessToken, refreshToken } = await issue();
      await client.logout({ refreshToken, allSessions });
      const login = await issue();
      await expectNothingWritten(async () => {
        await client.logout({ refreshToken, allSessions });
        await client.logout({ accessToken, allSessions });
        await client.logout({ accessToken, refreshToken, allSessions });
      });
      await expectStanding(login);
    });

    it('refuses a token that is not active: expired, superseded, logged out, and ends nothing', async () => {
      const standing = await issue('grace');
      const out = await issue('grace');
      await client.logout({ refreshToken: out.refreshToken });
      const used = await issue('grace');
      await client.refresh(used.refreshToken);
      const old = (kind: 'access' | 'refresh') => expired(kind, standing.sessionId, 'grace');
      const refusals = [
        [{ accessToken: old('access') }, 'EXPIRED'],
        [{ refreshToken: old('refresh') }, 'EXPIRED'],
        [{ refreshToken: used.refreshToken }, 'REUSED'],
        [{ refreshToken: out.refreshToken }, 'REVOKED'],
        [{ accessToken: out.accessToken }, 'REVOKED'],
        [{ accessToken: old('access'), refreshToken: out.refreshToken }, 'REVOKED'],
      ] as const;
      for (const [request, reason] of refusals) {
        expect(await refused({ ...request, allSessions })).to.deep.equal(['UNAUTHENTICATED', reason]);
      }
      await expectStanding(standing);
    });

    it('takes one good token beside one that is not active any more', async () => {
      const [a, b] = [await issue('heidi'), await issue('heidi')];
      await client.logout({
        accessToken: a.accessToken,
        refreshToken: expired('refresh', b.sessionId, 'heidi'),
        allSessions,
      });
      await expectOver(a, b);
    });

    it('refuses tokens of different subjects as a wrong request, and ends nothing', async () => {
      const [a, b] = [await issue('alice'), await issue('bob')];
      const request = { accessToken: a.accessToken, refreshToken: b.refreshToken, allSessions };
      expect(await refused(request)).to.deep.equal(['INVALID_ARGUMENT', 'all_sessions CONFLICT']);
      await expectStanding(a, b);
    });
  });
});
