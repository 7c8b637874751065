// Tests that tokens of djangorestframework-simplejwt are taken over: refreshed, replayed, ended, and judged.

import { expect } from 'chai';
import type { RedisServer } from '../support/redis-server.js';
import { type AnyBrowser, BLACKLISTED, INVALID, LOGOUT, pairIn } from './browser.js';
import { entriesIn } from './entries.js';
import { type RunningNode, Stage } from './stage.js';
import { claimsOf, foreign, foreignClaims, foreignText, nowS } from './tokens.js';

const ADOPT = { ADOPT_TOKENS: 'simplejwt' };
const HOUR_S = 3_600;
const ago = (seconds: number): string => new Date((nowS() - seconds) * 1000).toISOString();

describe('adopted tokens of djangorestframework-simplejwt', () => {
  const stage = new Stage();
  let redis: RedisServer;
  let node: RunningNode;
  let browser: AnyBrowser;
  before(async () => {
    redis = await stage.redis();
    node = await stage.serveHere(redis, { ...ADOPT, SESSIONS_SINCE: ago(24 * HOUR_S) });
    browser = await stage.gatewayHere(node);
  });
  after(() => stage.clear());

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it('are refreshed into an ordinary pair, which keeps their claims and goes on as any other', async () => {
    const token = foreign('refresh', { user_id: 42, role: 'staff' });
    const { access, refresh } = pairIn(await browser.refresh(token));
    for (const claims of [claimsOf(access), claimsOf(refresh)]) {
      expect(claims).to.deep.include({ sub: '42', gen: 1, user_id: 42, role: 'staff' });
      expect(claims['sid']).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    }
    const validation = await node.client.validate(access, true);
    expect(validation).to.deep.include({ active: true, subject: '42', claims: { user_id: 42, role: 'staff' } });
    expect(claimsOf(pairIn(await browser.refresh(refresh)).access)).to.include({ gen: 2, user_id: 42 });
  });

  it('have one successor: a retry and racers get the same', async () => {
    const token = foreign('refresh');
    const answers = await Promise.all(Array.from({ length: 8 }, () => browser.refresh(token)));
    answers.push(await browser.refresh(token));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).to.equal(1);
    pairIn(answers[0] ?? (await browser.refresh(token)));
  });

  it('are ended by a logout: before the first refresh, and after it by any token of the session', async () => {
    const unused = foreign('refresh');
    expect((await browser.logout(unused)).text).to.equal('{}');
    expect((await browser.refresh(unused)).text).to.equal(BLACKLISTED);

    const used = foreign('refresh');
    const { access, refresh } = pairIn(await browser.refresh(used));
    expect((await browser.logout(used)).status).to.equal(200);
    expect(await node.client.verdict(access)).to.equal('REVOKED');
    expect((await browser.refresh(refresh)).text).to.equal(BLACKLISTED);
  });

  it('let an access token be validated; alone it names no session to log out of', async () => {
    const access = foreign('access', { user_id: 5, name: 'Eve' });
    const validation = await node.client.validate(access, true);
    expect(validation).to.deep.include({
      active: true,
      subject: '5',
      sessionId: '',
      claims: { user_id: 5, name: 'Eve' },
    });
    const alone = await browser.post(LOGOUT, {}, bearer(access));
    expect([alone.status, alone.text]).to.deep.equal([400, '{"refresh":["This field is required."]}']);
    expect(await node.client.verdict(access)).to.equal('active');
    const refresh = foreign('refresh', { user_id: 5 });
    expect((await browser.post(LOGOUT, { refresh }, bearer(access))).status).to.equal(200);
    expect((await browser.refresh(refresh)).text).to.equal(BLACKLISTED);
  });

  it('are all dead after a logout everywhere, by a token of either kind, or a revocation', async () => {
    const everywhere: readonly ((user: number) => Promise<unknown>)[] = [
      (user) => browser.post(LOGOUT, { refresh: foreign('refresh', { user_id: user }), all_sessions: true }),
      (user) => browser.post(LOGOUT, { all_sessions: true }, bearer(foreign('access', { user_id: user }))),
      (user) => node.client.revokeSubject(`${user}`),
    ];
    for (const [index, end] of everywhere.entries()) {
      const user = 100 + index;
      const [access, refresh] = [foreign('access', { user_id: user }), foreign('refresh', { user_id: `${user}` })];
      const ours = pairIn(await browser.refresh(foreign('refresh', { user_id: user })));
      await end(user);
      expect(await node.client.verdict(access)).to.equal('REVOKED');
      expect(await node.client.verdict(ours.access)).to.equal('REVOKED');
      expect((await browser.refresh(refresh)).text).to.equal(BLACKLISTED);
      expect(await node.client.verdict(foreign('access', { user_id: user + 1_000 }))).to.equal('active');
    }
  });

  it('end when they say, or when our lifetimes say so, and are not good before they were issued', async () => {
    const verdict = (claims: Record<string, unknown>) => node.client.verdict(foreign('access', claims));
    expect(await verdict({ exp: nowS() - 30 })).to.equal('EXPIRED');
    expect(await verdict({ exp: nowS() - 2 })).to.equal('active');
    expect(await verdict({ iat: nowS() - 400, exp: nowS() + HOUR_S })).to.equal('EXPIRED');
    expect(await verdict({ iat: nowS() + 60, exp: nowS() + HOUR_S })).to.equal('NOT_YET_VALID');
    expect(await verdict({ nbf: nowS() + 60 })).to.equal('NOT_YET_VALID');
  });

  it('are not recognized by claims of ours: sid, gen, iss and aud of theirs count for nothing', async () => {
    const { sessionId, accessToken } = await node.client.issue('7');
    const token = foreign('refresh', { sid: sessionId, gen: 7, iss: 'x', aud: ['y'], sub: 'root', typ: 'rt+jwt' });
    const { access } = pairIn(await browser.refresh(token));
    expect(claimsOf(access)).to.include({ sub: '7', gen: 1 }).and.not.have.any.keys('iss', 'aud');
    expect(claimsOf(access)['sid']).not.to.equal(sessionId);
    expect((await browser.logout(token)).status).to.equal(200);
    expect(await node.client.verdict(accessToken)).to.equal('active');
  });

  it('are refused with another secret, algorithm or type, with the detail that simplejwt gives', async () => {
    const payload = JSON.stringify(foreignClaims('refresh'));
    const [, body = ''] = foreignText(payload).split('.');
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${body}.`;
    for (const token of [foreignText(payload, 'another secret'.repeat(4)), unsigned, `${unsigned}AA`]) {
      const answer = await browser.refresh(token);
      expect([answer.status, answer.text]).to.deep.equal([401, INVALID]);
    }
    const wrong = await browser.refresh(foreign('access'));
    expect([wrong.status, JSON.parse(wrong.text).detail]).to.deep.equal([401, 'Token has wrong type']);
    const sliding = await browser.refresh(foreign('refresh', { token_type: 'sliding' }));
    expect([sliding.status, JSON.parse(sliding.text).detail]).to.deep.equal([401, 'Token has wrong type']);
  });

  it('leave one entry with a lifetime, as any session', async () => {
    const token = foreign('refresh');
    const { refresh } = pairIn(await browser.refresh(token));
    pairIn(await browser.refresh(refresh));
    const { sessions } = await entriesIn(redis);
    const mine = sessions.filter(({ key }) => key.endsWith(`${claimsOf(refresh)['sid']}`));
    expect(mine).to.have.length(1);
    for (const { leftMs } of sessions) expect(leftMs).to.be.above(HOUR_S * 1000);
  });
});
