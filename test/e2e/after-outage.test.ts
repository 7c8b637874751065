// Tests of what a store that comes back does with the calls that were made while it was away.

import { expect } from 'chai';
import { failureOfCall } from '../support/auth-client.js';
import { BUSY_MS } from '../support/busy.js';
import { elapse, until } from '../support/waiting.js';
import { Stage } from './stage.js';
import { claimsOf } from './tokens.js';

const HEALED_MS = 2_000 + BUSY_MS;

describe('a Redis that was away', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('does not carry out, on its return, the logout that its caller has given up on', async () => {
    const redis = await stage.redis();
    const { client } = await stage.serveHere(redis);
    const { accessToken, refreshToken } = await client.issue();
    client.deadlineMs = 700;
    redis.pause();
    expect((await failureOfCall(client.logout({ refreshToken }))).code).to.equal('UNAVAILABLE');
    await elapse(400, "the caller's deadline passes");
    redis.resume();
    client.deadlineMs = 5_000;
    await until(async () => (await client.health()) === 'SERVING', HEALED_MS);
    expect(await client.verdict(accessToken)).to.equal('active');
    await client.logout({ refreshToken });
    expect(await client.verdict(accessToken)).to.equal('REVOKED');
  });

  it('leaves a client whose refresh it may or may not have carried out with a good session: a retry succeeds', async () => {
    const redis = await stage.redis();
    const { client } = await stage.serveHere(redis);
    for (const pauseMs of [0, 900]) {
      const { refreshToken, sessionId } = await client.issue();
      client.deadlineMs = 700;
      redis.pause();
      expect((await failureOfCall(client.refresh(refreshToken))).code).to.equal('UNAVAILABLE');
      await elapse(pauseMs, 'before and after the deadline');
      redis.resume();
      client.deadlineMs = 5_000;
      await until(async () => (await client.health()) === 'SERVING', HEALED_MS);
      const pair = await client.refresh(refreshToken);
      expect(claimsOf(pair.refreshToken)).to.include({ sid: sessionId, gen: 1 });
      expect(await client.refresh(refreshToken)).to.deep.equal(pair);
      await client.refresh(pair.refreshToken);
    }
  });

  it('does not eat up the window of a retry: the time that it was away does not count', async () => {
    const redis = await stage.redis();
    const { client } = await stage.serveHere(redis, { REFRESH_GRACE: '1s' });
    const { refreshToken } = await client.issue();
    const lost = await client.refresh(refreshToken);
    redis.pause();
    expect((await failureOfCall(client.refresh(refreshToken))).code).to.equal('UNAVAILABLE');
    await elapse(1_200, 'longer than the window');
    redis.resume();
    await until(async () => (await client.health()) === 'SERVING', HEALED_MS);
    expect(await client.refresh(refreshToken)).to.deep.equal(lost);
    await elapse(1_100, 'the window ends');
    expect((await failureOfCall(client.refresh(refreshToken))).reason).to.equal('REUSED');
  });

  it('may come up after the service, which waits for it, says so, and then serves', async () => {
    const redis = await stage.redis();
    await redis.kill();
    const node = await stage.serveHere(redis);
    const browser = await stage.gatewayHere(node);
    expect(await node.client.health()).to.equal('NOT_SERVING');
    expect((await failureOfCall(node.client.issue())).code).to.equal('UNAVAILABLE');
    expect((await browser.ask('/readyz')).status).to.equal(503);
    await redis.restart();
    await until(async () => (await node.client.health()) === 'SERVING', HEALED_MS);
    const { refreshToken } = await node.client.issue();
    expect((await browser.refresh(refreshToken)).status).to.equal(200);
  });
});
