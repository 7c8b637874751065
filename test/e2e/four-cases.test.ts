// Tests of the four cases that it all began with: over HTTP, through a real gateway, on a real Redis.

import { expect } from 'chai';
import { type AnyBrowser, BLACKLISTED, EXPIRED, pairIn } from './browser.js';
import { type RunningNode, Stage } from './stage.js';
import { claimsOf, expired } from './tokens.js';

describe('the four cases, over HTTP', () => {
  const stage = new Stage();
  let node: RunningNode;
  let browser: AnyBrowser;
  before(async () => {
    node = await stage.serveHere(await stage.redis());
    browser = await stage.gatewayHere(node);
  });
  after(() => stage.clear());

  it('a refresh succeeds with the next pair of the session, and nothing may store the answer', async () => {
    const { refreshToken, sessionId } = await node.client.issue();
    const answer = await browser.refresh(refreshToken);
    const { access, refresh } = pairIn(answer);
    expect(answer.headers.get('content-type')).to.equal('application/json');
    expect(answer.headers.get('cache-control')).to.equal('no-store');
    expect(Object.keys(JSON.parse(answer.text))).to.deep.equal(['access', 'refresh']);
    expect(claimsOf(access)).to.include({ sub: 'alice', sid: sessionId, gen: 1, jti: `a${sessionId}.1` });
    expect(claimsOf(refresh)).to.include({ sub: 'alice', sid: sessionId, gen: 1, jti: `r${sessionId}.1` });
    expect(await node.client.verdict(access)).to.equal('active');
    expect(pairIn(await browser.refresh(refresh)).refresh).not.to.equal(refresh);
  });

  it('a refresh with an expired token is answered 401, and harms no session', async () => {
    const { accessToken, refreshToken, sessionId } = await node.client.issue();
    const answer = await browser.refresh(expired('refresh', sessionId));
    expect([answer.status, answer.text]).to.deep.equal([401, EXPIRED]);
    expect(answer.headers.get('www-authenticate')).to.equal('Bearer realm="api"');
    expect(await node.client.verdict(accessToken)).to.equal('active');
    expect((await browser.refresh(refreshToken)).status).to.equal(200);
  });

  it('a logout succeeds, again too, and after it no token of the session is good for anything', async () => {
    const first = await node.client.issue();
    const { access, refresh } = pairIn(await browser.refresh(first.refreshToken));
    for (let time = 1; time <= 2; time++) {
      const answer = await browser.logout(refresh);
      expect([answer.status, answer.text]).to.deep.equal([200, '{}']);
    }
    expect(await node.client.verdict(access)).to.equal('REVOKED');
    expect(await node.client.verdict(first.accessToken)).to.equal('REVOKED');
    for (const token of [refresh, first.refreshToken]) {
      const answer = await browser.refresh(token);
      expect([answer.status, answer.text]).to.deep.equal([401, BLACKLISTED]);
    }
  });

  it('a logout by the bearer alone ends the session as well, and no other', async () => {
    const [mine, other] = [await node.client.issue(), await node.client.issue()];
    const answer = await browser.ask('/api/auth/logout/', {
      method: 'POST',
      headers: { authorization: `Bearer ${mine.accessToken}` },
    });
    expect([answer.status, answer.text]).to.deep.equal([200, '{}']);
    expect(await node.client.verdict(mine.accessToken)).to.equal('REVOKED');
    expect((await browser.refresh(mine.refreshToken)).text).to.equal(BLACKLISTED);
    expect(await node.client.verdict(other.accessToken)).to.equal('active');
  });
});
