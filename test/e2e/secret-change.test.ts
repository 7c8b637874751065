// Tests that JWT_SECRET can be changed node by node without one refused token.

import { utimesSync } from 'node:fs';
import { expect } from 'chai';
import { makeKey, writeKey } from '../../src/adapters/jwt/key-files.js';
import type { RedisServer } from '../support/redis-server.js';
import { type RunningNode, Stage } from './stage.js';
import { foreignClaims, foreignText, headerOf } from './tokens.js';

const OLD = 'the secret of before, for tests alone, of more than 32 bytes';
const NEW = 'the secret of after, for tests alone, of more than 32 bytes';

describe('a change of JWT_SECRET', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let redis: RedisServer;

  before(async () => {
    redis = await stage.redis();
  });
  after(() => stage.clear());

  /** A node in the place of another, on the same store with other settings. */
  async function restarted({ process }: RunningNode, env: Record<string, string>): Promise<RunningNode> {
    await process.stop();
    return stage.serveHere(redis, env);
  }

  it('in two steps, node by node, has every token taken at every node', async () => {
    const only = { JWT_SECRET: OLD };
    const first = { JWT_SECRET: OLD, JWT_SECRET_FALLBACK: NEW };
    const second = { JWT_SECRET: NEW, JWT_SECRET_FALLBACK: OLD };
    let nodes: [RunningNode, RunningNode] = [await stage.serveHere(redis, only), await stage.serveHere(redis, only)];
    let idle = await nodes[0].client.issue('idle');
    const kids = new Set<unknown>();

    /** Every token of one node at the other, and the retry of a trade at both. */
    const crosswise = async (step: string): Promise<void> => {
      for (const [one, other] of [nodes, nodes.toReversed() as typeof nodes]) {
        const { accessToken, refreshToken } = await one.client.issue();
        kids.add(headerOf(accessToken)['kid']);
        expect(await other.client.verdict(accessToken), step).to.equal('active');
        const traded = await other.client.refresh(refreshToken);
        expect(await one.client.refresh(refreshToken), `${step}: the retry`).to.deep.equal(traded);
        expect(await one.client.verdict(idle.accessToken), step).to.equal('active');
      }
    };

    await crosswise('before');
    for (const [step, env] of Object.entries({ first, second })) {
      nodes = [await restarted(nodes[0], env), nodes[1]];
      await crosswise(`${step} step, one node`);
      nodes = [nodes[0], await restarted(nodes[1], env)];
      await crosswise(`${step} step, both nodes`);
    }
    expect(kids.size).to.equal(2);
    idle = await nodes[1].client.refresh(idle.refreshToken);
    const late = await stage.serveHere(redis, { JWT_SECRET: NEW });
    expect(await late.client.verdict(idle.accessToken), 'the old secret is needed no more').to.equal('active');
  });

  it('to keys in files, node by node, has every token taken at every node', async () => {
    const folder = await stage.folder();
    const { pem, kid } = makeKey('ES256');
    // It would sign at once: it is old, and alone.
    utimesSync(writeKey(folder, 'only', pem), new Date(0), new Date(0));
    let nodes: [RunningNode, RunningNode] = [await stage.serveHere(redis), await stage.serveHere(redis)];
    const named = String(headerOf((await nodes[0].client.issue()).accessToken)['kid']);
    const kids: unknown[] = [];
    for (const env of [{ JWT_KEYS_DIR: folder, JWT_ACTIVE_KID: named }, { JWT_KEYS_DIR: folder }]) {
      for (const turn of [0, 1]) {
        nodes = turn === 0 ? [await restarted(nodes[0], env), nodes[1]] : [nodes[0], await restarted(nodes[1], env)];
        for (const [one, other] of [nodes, nodes.toReversed() as typeof nodes]) {
          const { accessToken, refreshToken } = await one.client.issue();
          kids.push(headerOf(accessToken)['kid']);
          expect(await other.client.verdict(accessToken)).to.equal('active');
          const traded = await other.client.refresh(refreshToken);
          expect((await one.client.refresh(refreshToken)).refreshToken).to.equal(traded.refreshToken);
        }
      }
    }
    expect(kids).to.deep.equal([named, named, named, named, kid, named, kid, kid]);
  });

  it('also for tokens of simplejwt, which do not say under which secret they are', async () => {
    const env = { ADOPT_TOKENS: 'simplejwt', SESSIONS_SINCE: '2025-01-01T00:00:00Z' };
    const adopting = await stage.redis();
    const node = await stage.serveHere(adopting, { ...env, JWT_SECRET: NEW, JWT_SECRET_FALLBACK: OLD });
    for (const secret of [OLD, NEW]) {
      const token = foreignText(JSON.stringify(foreignClaims('refresh')), secret);
      expect((await node.client.refresh(token)).sessionId).to.not.equal('');
    }
    const forged = foreignText(JSON.stringify(foreignClaims('refresh')), 'a secret that no node of the test has');
    const refused = await node.client.refresh(forged).catch((error: Error) => error.message);
    expect(refused).to.include('the signature is not good');
  });
});
