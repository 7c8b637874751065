// Tests that all flows, and races of two nodes, are the same on a primary that Sentinels name and on a cluster.

import { expect } from 'chai';
import { failureOfCall } from '../support/auth-client.js';
import { FeedStream } from '../support/feed-stream.js';
import { ClusterWorld } from '../support/redis-cluster.js';
import { SentinelWorld } from '../support/redis-sentinel.js';
import { elapse, until } from '../support/waiting.js';
import { type AnyBrowser, BLACKLISTED, pairIn, type WebPair } from './browser.js';
import { type RunningNode, Stage } from './stage.js';
import { claimsOf } from './tokens.js';

const GRACE_MS = 2_000;
const ROUNDS = 16;
const AT_ONCE = 8;
const PASSWORD = 'a-password-of-Sentinels-alone';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const identity = ({ access, refresh }: WebPair): string =>
  JSON.stringify([access, refresh].map(claimsOf).map(({ sid, gen, jti }) => [sid, gen, jti]));

const STORES = [
  ['Sentinels', () => SentinelWorld.start({ password: PASSWORD })],
  ['a cluster', () => ClusterWorld.start()],
] as const;

for (const [name, start] of STORES) {
  describe(`two nodes and a gateway on ${name}`, function () {
    this.timeout(120_000);
    const stage = new Stage();
    let nodes: readonly [RunningNode, RunningNode];
    let browsers: readonly AnyBrowser[];
    const alternating = <T>(two: readonly T[], index: number): T => two[index % 2] as T;

    before(async () => {
      const world = await start();
      stage.owns(() => world.stop());
      const secrets = world instanceof SentinelWorld ? { REDIS_SENTINEL_PASSWORD: PASSWORD } : {};
      const env = { REDIS_MIN_REPLICAS: '1', REFRESH_GRACE: `${GRACE_MS}ms`, ...secrets };
      nodes = [await stage.serveHereAt(world.url, env), await stage.serveAt(world.url, env)];
      for (const { client } of nodes) await until(async () => (await client.health()) === 'SERVING', 30_000);
      browsers = [await stage.gatewayHere(nodes[0]), await stage.gatewayHere(nodes[1])];
      // The first call takes long, and several at once would stall this process for longer than its lease of a primary.
      for (const browser of browsers) pairIn(await browser.refresh((await nodes[0].client.issue()).refreshToken));
    });
    after(() => stage.clear());

    it('logs in, refreshes, replays, logs out, and cuts off, the same at both', async () => {
      const [one, other] = [nodes[0].client, nodes[1].client];
      for (const subject of numbers(6).map((n) => `user-${n}`)) {
        const first = await one.issue(subject);
        const next = await other.refresh(first.refreshToken);
        expect(JSON.stringify(await one.refresh(first.refreshToken))).to.equal(JSON.stringify(next));
        expect(await one.verdict(next.accessToken)).to.equal('active');
        await other.logout({ refreshToken: next.refreshToken });
        expect(await one.verdict(next.accessToken)).to.equal('REVOKED');
        expect((await failureOfCall(one.refresh(next.refreshToken))).reason).to.equal('REVOKED');
        const [a, b] = [await one.issue(subject), await one.issue(subject)];
        await other.logout({ accessToken: a.accessToken, allSessions: true });
        expect([await one.verdict(a.accessToken), await one.verdict(b.accessToken)]).to.deep.equal([
          'REVOKED',
          'REVOKED',
        ]);
        const after = await other.issue(subject);
        expect(await one.verdict(after.accessToken)).to.equal('active');
        await one.revokeSubject(subject);
        expect(await other.verdict(after.accessToken)).to.equal('REVOKED');
      }
    });

    it('streams ends of one node at the other, before the pong of a ping that follows them', async () => {
      const stream = new FeedStream(nodes[0].process.address);
      stage.owns(() => stream.close());
      expect((await stream.pong()).uncovered).to.have.length(0);
      for (const subject of numbers(6).map((n) => `watched-${n}`)) {
        const { sessionId, refreshToken } = await nodes[1].client.issue(subject);
        await nodes[1].client.logout({ refreshToken });
        await stream.pong();
        expect(stream.said).to.include(`s${sessionId.replaceAll('-', '')}`);
      }
    });

    it(`answers ${AT_ONCE} refreshes at once with one pair, and takes the used token for theft after the window`, async () => {
      const used: string[] = [];
      const pairs: WebPair[] = [];
      for (const round of numbers(ROUNDS)) {
        const { refreshToken } = await alternating(nodes, round).client.issue(`racer-${round}`);
        const answers = await Promise.all(numbers(AT_ONCE).map((n) => alternating(browsers, n).refresh(refreshToken)));
        expect(new Set(answers.map(pairIn).map(identity)).size, `round ${round}`).to.equal(1);
        used.push(refreshToken);
        pairs.push(pairIn(answers[0] as (typeof answers)[number]));
      }
      await elapse(GRACE_MS + 100, 'the window ends');
      for (const [round, token] of used.entries()) {
        expect((await alternating(browsers, round).refresh(token)).text, `round ${round}`).to.equal(BLACKLISTED);
      }
      for (const { access } of pairs) {
        expect(await Promise.all(nodes.map(({ client }) => client.verdict(access)))).to.deep.equal([
          'REVOKED',
          'REVOKED',
        ]);
      }
    });

    it('of a refresh and a logout at once leaves nothing standing after the answer of the logout', async () => {
      await Promise.all(
        numbers(12).map(async (round) => {
          const first = await nodes[0].client.issue(`leaver-${round}`);
          const [next] = await Promise.all([
            alternating(nodes, round)
              .client.refresh(first.refreshToken)
              .catch(() => undefined),
            alternating(nodes, round + 1).client.logout({ refreshToken: first.refreshToken }),
          ]);
          for (const { client } of nodes) {
            for (const pair of next ? [first, next] : [first]) {
              expect(await client.verdict(pair.accessToken)).to.equal('REVOKED');
            }
          }
        }),
      );
    });
  });
}
