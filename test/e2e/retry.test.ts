// Tests that a client whose answer was lost gets it again: to the letter where the algorithm allows it.

import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { generateKey } from '../../src/adapters/jwt/key-files.js';
import { failureOfCall } from '../support/auth-client.js';
import type { RedisServer } from '../support/redis-server.js';
import { elapse, until } from '../support/waiting.js';
import { type AnyBrowser, pairIn, REFRESH } from './browser.js';
import { type RunningNode, Stage } from './stage.js';
import { claimsOf, craft, headerOf, nowS } from './tokens.js';

const FIRST = { REFRESH_GRACE: '20s', ACCESS_TTL: '5m', REFRESH_TTL: '7d', SESSION_MAX: '30d' };
const LONGER = { REFRESH_GRACE: '20s', ACCESS_TTL: '30m', REFRESH_TTL: '20d', SESSION_MAX: '90d' };
const SHORTER = { REFRESH_GRACE: '20s', ACCESS_TTL: '1m', REFRESH_TTL: '2m', SESSION_MAX: '3m' };

describe('a retry after a lost answer', () => {
  const [whole, stage] = [new Stage(), new Stage()];
  let redis: RedisServer;
  before(async () => {
    redis = await whole.redis();
  });
  afterEach(() => stage.clear());
  after(() => whole.clear());

  /** A node, and later one in its place with other settings. */
  async function restarted(node: RunningNode, env: Record<string, string>): Promise<RunningNode> {
    await node.process.kill();
    return stage.serveHere(redis, env);
  }

  describe('under HS256', () => {
    let node: RunningNode;
    let browser: AnyBrowser;
    before(async () => {
      node = await whole.serveHere(redis, FIRST);
      browser = await whole.gatewayHere(node);
    });

    it('equals it byte for byte, again and again, over gRPC and HTTP', async () => {
      const { refreshToken } = await node.client.issue('alice', { role: 'admin', nested: { list: [1, 'two', null] } });
      const lost = await node.client.refresh(refreshToken);
      // Into the next second, so that an `iat` of the retry's own would show.
      const issuedAt = async (): Promise<number> => Number(claimsOf((await node.client.issue()).accessToken)['iat']);
      await until(async () => (await issuedAt()) > Number(claimsOf(lost.accessToken)['iat']));
      expect(await node.client.refresh(refreshToken)).to.deep.equal(lost);
      const { access, refresh } = pairIn(await browser.refresh(refreshToken));
      expect({ access, refresh }).to.deep.equal({ access: lost.accessToken, refresh: lost.refreshToken });
      expect(pairIn(await browser.refresh(refreshToken))).to.deep.equal({ access, refresh });
      expect(claimsOf(access)).to.deep.include({ role: 'admin', nested: { list: [1, 'two', null] } });
    });

    it('succeeds whenever the connection broke', async () => {
      for (let round = 0; round < 30; round++) {
        const { refreshToken, sessionId } = await node.client.issue();
        const given = AbortSignal.timeout(round % 15);
        const init = { method: 'POST', headers: { 'content-type': 'application/json' }, signal: given };
        await browser.ask(REFRESH, { ...init, body: JSON.stringify({ refresh: refreshToken }) }).catch(() => undefined);
        const { access, refresh } = pairIn(await browser.refresh(refreshToken));
        expect(claimsOf(access)).to.include({ sid: sessionId, gen: 1 });
        expect(claimsOf(pairIn(await browser.refresh(refresh)).access)).to.include({ sid: sessionId, gen: 2 });
      }
    });

    for (const [how, settings] of [
      ['longer', LONGER],
      ['shorter', SHORTER],
    ] as const) {
      it(`equals it byte for byte at a node that was restarted with ${how} lifetimes`, async () => {
        const first = await stage.serveHere(redis, FIRST);
        const { refreshToken } = await first.client.issue();
        const lost = await first.client.refresh(refreshToken);
        const again = await restarted(first, settings);
        expect(await again.client.refresh(refreshToken)).to.deep.equal(lost);
        // The settings did change: a login has the new lifetimes.
        const { accessExpiresAt } = await again.client.issue();
        expect(accessExpiresAt).to.be.closeTo(nowS() + (settings === LONGER ? 1_800 : 60), 3);
      });
    }

    it('still gets it when the token has expired in between, but an expired token that was never used gets nothing', async () => {
      const [one, other] = [await node.client.issue(), await node.client.issue()];
      const expiresAt = Math.ceil(Date.now() / 1000 + 0.5);
      const dying = (sessionId: string) => craft('refresh', { sessionId, issuedAt: nowS() - 60, expiresAt });
      const lost = await node.client.refresh(dying(one.sessionId));
      await elapse(expiresAt * 1000 - Date.now() + 100, 'the token expires');
      expect(await node.client.refresh(dying(one.sessionId))).to.deep.equal(lost);
      expect((await failureOfCall(node.client.refresh(dying(other.sessionId)))).reason).to.equal('EXPIRED');
    });
  });

  describe('under a key in a file', () => {
    it('equals it byte for byte under RS256, also at a restarted node with other lifetimes', async () => {
      const folder = await stage.folder();
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      writeFileSync(join(folder, 'rsa.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
      const node = await stage.serveHere(redis, { ...FIRST, JWT_KEYS_DIR: folder });
      const { refreshToken } = await node.client.issue();
      const lost = await node.client.refresh(refreshToken);
      const again = await restarted(node, { ...LONGER, JWT_KEYS_DIR: folder });
      expect(await again.client.refresh(refreshToken)).to.deep.equal(lost);
      expect(headerOf(lost.accessToken)['alg']).to.equal('RS256');
    });

    it('has the same claims under ES256, and the same refresh token byte for byte', async () => {
      const folder = await stage.folder();
      generateKey(folder, 'ec');
      const node = await stage.serveHere(redis, { ...FIRST, JWT_KEYS_DIR: folder });
      const { refreshToken } = await node.client.issue();
      const { accessToken, ...lost } = await node.client.refresh(refreshToken);
      const again = await restarted(node, { ...LONGER, JWT_KEYS_DIR: folder });
      const { accessToken: second, ...retried } = await again.client.refresh(refreshToken);
      expect(retried).to.deep.equal(lost);
      expect(claimsOf(second)).to.deep.equal(claimsOf(accessToken));
      expect(await again.client.verdict(second)).to.equal('active');
    });
  });
});
