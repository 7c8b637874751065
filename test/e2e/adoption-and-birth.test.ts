// Tests of which adopted sessions a store vouches for that is younger than they are.

import { expect } from 'chai';
import { failureOfCall } from '../support/auth-client.js';
import { INVALID } from './browser.js';
import { Stage } from './stage.js';
import { foreign, nowS } from './tokens.js';

const ADOPT = { ADOPT_TOKENS: 'simplejwt' };
const HOUR_S = 3_600;
const ago = (seconds: number): string => new Date((nowS() - seconds) * 1000).toISOString();

describe('adopted tokens and the birth of the store', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());
  const old = (kind: 'access' | 'refresh') => foreign(kind, { iat: nowS() - 60 });

  it('from before it are denied without SESSIONS_SINCE; younger ones are good', async () => {
    const { client } = await stage.serveHere(await stage.redis(), ADOPT);
    expect(await client.verdict(old('access'))).to.equal('REVOKED');
    expect(await client.verdict(foreign('access', { iat: nowS() + 2 }))).to.equal('active');
    const { accessToken } = await client.issue();
    expect(await client.verdict(accessToken)).to.equal('active');
  });

  it('from before it are good with SESSIONS_SINCE, but not those from before that, nor after the store was wiped', async () => {
    const redis = await stage.redis();
    const { client } = await stage.serveHere(redis, { ...ADOPT, SESSIONS_SINCE: ago(HOUR_S) });
    expect(await client.verdict(old('access'))).to.equal('active');
    // What they become is no younger than they are.
    const next = await client.refresh(old('refresh'));
    expect(await client.verdict(next.accessToken)).to.equal('active');
    await client.logout({ refreshToken: (await client.refresh(next.refreshToken)).refreshToken });
    expect(await client.verdict(next.accessToken)).to.equal('REVOKED');
    const kept = await client.refresh(old('refresh'));
    expect(await client.verdict(foreign('access', { iat: nowS() - 2 * HOUR_S, exp: nowS() + HOUR_S }))).to.equal(
      'EXPIRED',
    );
    const older = foreign('refresh', { iat: nowS() - 2 * HOUR_S });
    expect((await failureOfCall(client.refresh(older))).reason).to.equal('REVOKED');
    await redis.raw.flushall();
    expect(await client.verdict(old('access'))).to.equal('REVOKED');
    expect(await client.verdict(kept.accessToken)).to.equal('REVOKED');
  });

  it('do not bring back sessions of ours, nor what they became, when SESSIONS_SINCE is still set after a wipe', async () => {
    const redis = await stage.redis();
    const env = { ...ADOPT, SESSIONS_SINCE: ago(HOUR_S) };
    const node = await stage.serveHere(redis, env);
    const fresh = await node.client.issue();
    const out = await node.client.issue();
    const refreshed = await node.client.refresh((await node.client.issue()).refreshToken);
    const taken = await node.client.refresh(old('refresh'));
    await node.client.logout({ refreshToken: out.refreshToken });
    await node.process.kill();
    await redis.raw.flushall();
    const { client } = await stage.serveHere(redis, env);
    for (const { accessToken, refreshToken } of [fresh, out, refreshed, taken]) {
      expect(await client.verdict(accessToken)).to.equal('REVOKED');
      expect((await failureOfCall(client.refresh(refreshToken))).reason).to.equal('REVOKED');
    }
  });

  it('are not taken over by default: they name no key of ours', async () => {
    const node = await stage.serveHere(await stage.redis());
    const browser = await stage.gatewayHere(node);
    expect(await node.client.verdict(foreign('access', { iat: nowS() + 2 }))).to.equal('UNKNOWN_KEY');
    const answer = await browser.refresh(foreign('refresh', { iat: nowS() + 2 }));
    expect([answer.status, answer.text]).to.deep.equal([401, INVALID]);
  });
});
