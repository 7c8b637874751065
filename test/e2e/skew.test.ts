// Tests that two nodes whose own clocks differ by a minute agree in every case: the store's clock decides.

import { expect } from 'chai';
import { failureOfCall } from '../support/auth-client.js';
import type { RedisServer } from '../support/redis-server.js';
import { type AnyBrowser, BLACKLISTED, EXPIRED, pairIn } from './browser.js';
import { type RunningNode, Stage } from './stage.js';
import { craft, expired, nowS } from './tokens.js';

for (const [where, clockMs] of [
  ['ahead', 60_000],
  ['behind', -60_000],
] as const) {
  describe(`two nodes, the clock of one a minute ${where}`, () => {
    const stage = new Stage();
    let redis: RedisServer;
    let right: RunningNode;
    let wrong: RunningNode;
    let atRight: AnyBrowser;
    let atWrong: AnyBrowser;
    before(async () => {
      redis = await stage.redis();
      [right, wrong] = await Promise.all([stage.serveHere(redis), stage.serve(redis, {}, clockMs)]);
      [atRight, atWrong] = await Promise.all([stage.gatewayHere(right), stage.gatewayHere(wrong)]);
    });
    after(() => stage.clear());

    const eachWay = () =>
      [
        { here: right, there: wrong, atHere: atRight, atThere: atWrong },
        { here: wrong, there: right, atHere: atWrong, atThere: atRight },
      ] as const;

    it('dates its tokens by the time of the store', async () => {
      for (const { client } of [right, wrong]) {
        const { accessToken, accessExpiresAt } = await client.issue();
        expect(accessExpiresAt).to.be.closeTo(nowS() + 300, 3);
        expect((await client.validate(accessToken)).issuedAt).to.be.closeTo(nowS(), 3);
      }
    });

    it('refreshes on either node what the other has made, and a retry at the other gets the same', async () => {
      for (const { here, there, atHere, atThere } of eachWay()) {
        const { refreshToken } = await here.client.issue();
        const answer = await atThere.refresh(refreshToken);
        expect((await atHere.refresh(refreshToken)).text).to.equal(answer.text);
        const { access, refresh } = pairIn(answer);
        expect(await here.client.verdict(access)).to.equal('active');
        expect(await there.client.verdict(access)).to.equal('active');
        pairIn(await atHere.refresh(refresh));
      }
    });

    it('takes a token for expired on both nodes at the same time', async () => {
      const { sessionId } = await right.client.issue();
      const soon = { sessionId, issuedAt: nowS(), expiresAt: nowS() + 30 };
      const past = { sessionId, issuedAt: nowS() - 60, expiresAt: nowS() - 30 };
      for (const { here, atHere } of eachWay()) {
        expect(await here.client.verdict(craft('access', soon))).to.equal('active');
        expect(await here.client.verdict(craft('access', past))).to.equal('EXPIRED');
        const answer = await atHere.refresh(expired('refresh', sessionId));
        expect([answer.status, answer.text]).to.deep.equal([401, EXPIRED]);
      }
    });

    it('ends a session on both nodes with a logout at one', async () => {
      for (const { here, there, atHere, atThere } of eachWay()) {
        const { accessToken, refreshToken } = await here.client.issue();
        expect((await atHere.logout(refreshToken)).status).to.equal(200);
        expect(await there.client.verdict(accessToken)).to.equal('REVOKED');
        const answer = await atThere.refresh(refreshToken);
        expect([answer.status, answer.text]).to.deep.equal([401, BLACKLISTED]);
      }
    });

    it('ends every session on both nodes with a logout everywhere at one, and a login right after it is active', async () => {
      for (const { here, there } of eachWay()) {
        const pairs = [await here.client.issue('bob'), await there.client.issue('bob')];
        const [{ accessToken }] = pairs as [(typeof pairs)[0]];
        await here.client.logout({ accessToken, allSessions: true });
        const fresh = await there.client.issue('bob');
        for (const { client } of [here, there]) {
          for (const pair of pairs) {
            expect(await client.verdict(pair.accessToken)).to.equal('REVOKED');
            expect((await failureOfCall(client.refresh(pair.refreshToken))).reason).to.equal('REVOKED');
          }
          expect(await client.verdict(fresh.accessToken)).to.equal('active');
        }
        await here.client.refresh(fresh.refreshToken);
      }
    });

    it('leaves a login active right after a subject was revoked, however often', async () => {
      for (let round = 0; round < 20; round++) {
        for (const { here, there } of eachWay()) {
          const before = await there.client.issue('carol');
          await here.client.revokeSubject('carol');
          const after = await there.client.issue('carol');
          expect(await there.client.verdict(before.accessToken)).to.equal('REVOKED');
          expect(await here.client.verdict(after.accessToken)).to.equal('active');
        }
      }
    });
  });
}
