// Tests that callers at the same moment, on two nodes, get one successor of a token, and never revive a session.

import { expect } from 'chai';
import { CallFailed, failureOfCall } from '../support/auth-client.js';
import type { RedisServer } from '../support/redis-server.js';
import { cases } from '../support/soak.js';
import { elapse } from '../support/waiting.js';
import { type Answer, type AnyBrowser, BLACKLISTED, pairIn, type WebPair } from './browser.js';
import { entriesIn } from './entries.js';
import { type RunningNode, Stage } from './stage.js';
import { claimsOf } from './tokens.js';

/** How many tokens are raced for; RACES sets another number. */
const ROUNDS = cases('RACES', { short: 20, soak: 200 });
const AT_ONCE = 8;
const GRACE_MS = 2_000;
/** How often a call is made again that the store did not answer in time. */
const REPEATS = 3;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** What must be the same in every answer: session, generation and the ids of both tokens. */
const identity = ({ access, refresh }: WebPair): string =>
  JSON.stringify([access, refresh].map(claimsOf).map(({ sid, gen, jti }) => [sid, gen, jti]));

/** Repeats a call as clients do: beside other work, Redis may need more than the 500 ms that the service waits. */
async function answered<T>(call: () => Promise<T>, isAnswer: (value: T) => boolean = () => true): Promise<T> {
  for (let left = REPEATS; ; left--) {
    try {
      const value = await call();
      if (left === 0 || isAnswer(value)) return value;
    } catch (error) {
      if (left === 0 || !(error instanceof CallFailed) || error.failure.code !== 'UNAVAILABLE') throw error;
    }
  }
}

const refreshed = (browser: AnyBrowser, token: string): Promise<Answer> =>
  answered(
    () => browser.refresh(token),
    ({ status }) => status !== 503,
  );

for (const [clocks, clockMs] of [
  ['in step', undefined],
  ['a minute apart', 60_000],
] as const) {
  describe(`races of two nodes on one Redis, their clocks ${clocks}`, function () {
    this.timeout(120_000);
    const stage = new Stage();
    let redis: RedisServer;
    let nodes: readonly [RunningNode, RunningNode];
    let browsers: readonly [AnyBrowser, AnyBrowser];
    const alternating = <T>(two: readonly [T, T], index: number): T => two[index % 2 === 0 ? 0 : 1];

    before(async () => {
      redis = await stage.redis();
      const env = { REFRESH_GRACE: `${GRACE_MS}ms` };
      nodes = await Promise.all([stage.serveHere(redis, env), stage.serve(redis, env, clockMs)]);
      browsers = await Promise.all([stage.gatewayHere(nodes[0]), stage.gatewayHere(nodes[1])]);
    });
    after(() => stage.clear());

    it(`${AT_ONCE} refreshes at once, ${ROUNDS} times, have one answer; the used token after the window ends the session`, async () => {
      const used: string[] = [];
      const successors: WebPair[] = [];
      for (const round of numbers(ROUNDS)) {
        const { refreshToken, sessionId } = await answered(() =>
          alternating(nodes, round).client.issue(`racer-${round}`),
        );
        const answers = await Promise.all(
          numbers(AT_ONCE).map((each) => refreshed(alternating(browsers, each), refreshToken)),
        );
        const pairs = answers.map(pairIn);
        expect(new Set(pairs.map(identity)).size, `round ${round}`).to.equal(1);
        const [pair] = pairs as [WebPair];
        expect(claimsOf(pair.access)).to.include({ sid: sessionId, gen: 1 });
        used.push(refreshToken);
        successors.push(pair);
      }

      await elapse(GRACE_MS + 100, 'the window ends');
      for (const [round, token] of used.entries()) {
        const { status, text } = await refreshed(alternating(browsers, round), token);
        expect([status, text], `round ${round}`).to.deep.equal([401, BLACKLISTED]);
      }
      for (const { access, refresh } of successors) {
        expect(await Promise.all(nodes.map(({ client }) => answered(() => client.verdict(access))))).to.deep.equal([
          'REVOKED',
          'REVOKED',
        ]);
        for (const browser of browsers) expect((await refreshed(browser, refresh)).text).to.equal(BLACKLISTED);
      }
    });

    it('100 refreshes of one token at once have one answer, and leave one entry', async () => {
      await redis.raw.flushall();
      const { refreshToken, sessionId } = await answered(() => nodes[0].client.issue());
      const pairs = await Promise.all(
        numbers(100).map((each) => answered(() => alternating(nodes, each).client.refresh(refreshToken))),
      );
      expect(new Set(pairs.map((pair) => JSON.stringify(pair))).size).to.equal(1);
      const { sessions } = await entriesIn(redis);
      expect(sessions.map(({ key }) => key.slice(key.indexOf(':s:')))).to.deep.equal([`:s:${sessionId}`]);
      expect(sessions[0]?.text).to.match(/^1 \d+ live 1 /);
    });

    it('of a refresh and a logout at once no token is active after the answer of the logout', async () => {
      await Promise.all(
        numbers(ROUNDS).map(async (round) => {
          const first = await answered(() => nodes[0].client.issue(`leaver-${round}`));
          const [one, other] = round % 2 === 0 ? nodes : [nodes[1], nodes[0]];
          const [next] = await Promise.all([
            one.client.refresh(first.refreshToken).catch(() => undefined),
            answered(() => other.client.logout({ refreshToken: first.refreshToken })),
          ]);
          for (const { client } of nodes) {
            for (const pair of next ? [first, next] : [first]) {
              expect(await answered(() => client.verdict(pair.accessToken))).to.equal('REVOKED');
              expect((await failureOfCall(answered(() => client.refresh(pair.refreshToken)))).reason).to.equal(
                'REVOKED',
              );
            }
          }
        }),
      );
    });
  });
}
