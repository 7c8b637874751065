// Tests that every call without a store soon gets "cannot tell", and that the service recovers by itself.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { CallFailed, failureOfCall } from '../support/auth-client.js';
import { BUSY_MS } from '../support/busy.js';
import type { RedisServer } from '../support/redis-server.js';
import { elapse, until } from '../support/waiting.js';
import type { Answer, Browser } from './browser.js';
import { type ServiceNode, Stage } from './stage.js';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
const AWAY = '{"detail":"Service temporarily unavailable, try again later.","code":"service_unavailable"}';
const SOON_MS = 1_000 + BUSY_MS;
const HEALED_MS = 2_000 + BUSY_MS;

/** The ways in which a Redis goes away and comes back. */
const OUTAGES: Readonly<
  Record<string, { leave(redis: RedisServer): Promise<void>; back(r: RedisServer): Promise<void> }>
> = {
  killed: { leave: (redis) => redis.kill(), back: (redis) => redis.restart() },
  paused: { leave: async (redis) => redis.pause(), back: async (redis) => redis.resume() },
};

async function soon<T>(work: Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await work;
  expect(performance.now() - startMs, 'ms').to.be.below(SOON_MS);
  return result;
}

for (const [how, { leave, back }] of Object.entries(OUTAGES)) {
  describe(`while Redis is ${how}`, function () {
    this.timeout(120_000);
    const stage = new Stage();
    let redis: RedisServer;
    let node: ServiceNode;
    let browser: Browser;
    let good: TokenPair;
    let used: string;
    let dead: TokenPair;
    before(async () => {
      redis = await stage.redis(...DURABLE);
      // The window is long, so that a retry is always within it: each answer but 200 and 503 is wrong.
      node = await stage.serve(redis, { REFRESH_GRACE: '60s' });
      browser = await stage.gateway(node);
    });
    after(() => stage.clear());
    beforeEach(async () => {
      ({ refreshToken: used } = await node.client.issue());
      good = await node.client.refresh(used);
      dead = await node.client.issue('bob');
      await node.client.logout({ refreshToken: dead.refreshToken });
    });

    const expectAway = (answer: Answer): void => {
      expect([answer.status, answer.text]).to.deep.equal([503, AWAY]);
      expect(answer.headers.get('retry-after')).to.equal('1');
      expect(answer.headers.get('cache-control')).to.equal('no-store');
      expect(answer.ms).to.be.below(SOON_MS);
    };

    it('every call says so within a second, health and readiness too; all is well within two of its return', async () => {
      const { client } = node;
      const states: string[] = [];
      const unwatch = client.watchHealth('auth.v1.AuthService', (state) => states.push(state));
      await until(() => states.length > 0, SOON_MS);

      await leave(redis);
      for (let round = 0; round < 2; round++) {
        const calls = [
          () => client.validate(good.accessToken),
          () => client.validate(dead.accessToken),
          () => client.refresh(good.refreshToken),
          () => client.logout({ refreshToken: good.refreshToken }),
          () => client.logout({ refreshToken: good.refreshToken, allSessions: true }),
          () => client.issue('carol'),
          () => client.revokeSubject('dave'),
        ];
        // At once: the first to be late finds the outage, and none may wait for another.
        const failures = await soon(Promise.all(calls.map((call) => failureOfCall(call()))));
        for (const { code, retryAfterS } of failures) expect([code, retryAfterS]).to.deep.equal(['UNAVAILABLE', 1]);
        expectAway(await browser.refresh(good.refreshToken));
        expectAway(await browser.logout(good.refreshToken));
      }
      await until(() => states.at(-1) === 'NOT_SERVING', SOON_MS);
      expect(await soon(client.health())).to.equal('NOT_SERVING');
      expect(await soon(client.health('auth.v1.IssuerService'))).to.equal('NOT_SERVING');
      const ready = await browser.ask('/readyz');
      expect([ready.status, ready.headers.get('retry-after')]).to.deep.equal([503, '1']);
      expect((await browser.ask('/healthz')).status).to.equal(200);
      // What cannot be true whatever the store says needs no store.
      expect(await client.verdict('no.jw.t')).to.equal('MALFORMED');
      expect((await browser.refresh('no.jw.t')).status).to.equal(401);

      await elapse(1_500, 'the pauses between attempts to connect grow to their longest');
      await back(redis);
      const backMs = performance.now();
      await until(async () => (await client.health()) === 'SERVING', HEALED_MS);
      expect(await client.verdict(good.accessToken)).to.equal('active');
      expect(await client.verdict(dead.accessToken)).to.equal('REVOKED');
      await until(async () => (await browser.refresh(used)).status === 200, HEALED_MS);
      expect((await browser.ask('/readyz')).status).to.equal(200);
      await client.logout({ refreshToken: (await client.issue('erin')).refreshToken });
      expect(performance.now() - backMs).to.be.below(HEALED_MS);
      await until(() => states.at(-1) === 'SERVING', SOON_MS);
      unwatch();
      expect(states).to.deep.equal(['SERVING', 'NOT_SERVING', 'SERVING']);
    });

    it('no answer says valid or invalid, and no good token is called bad nor a dead one good before and after', async () => {
      const { client } = node;
      let over = false;
      const away = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY };
      const records: { what: string; atMs: number; endMs: number }[] = [];
      const poll = async (ask: () => Promise<string>): Promise<void> => {
        while (!over) {
          const atMs = performance.now();
          const what = await ask();
          records.push({ what, atMs, endMs: performance.now() });
          await elapse(5, 'paces calls');
        }
      };
      const verdict = (token: string) =>
        client.verdict(token).catch((error: unknown) => {
          if (error instanceof CallFailed) return error.failure.code;
          throw error;
        });
      const polls = [
        poll(async () => `good ${await verdict(good.accessToken)}`),
        poll(async () => `dead ${await verdict(dead.accessToken)}`),
        poll(async () => `retry ${(await browser.refresh(used)).status}`),
        poll(async () => `spent ${(await browser.refresh(dead.refreshToken)).status}`),
      ];
      /** Waits until each poll has begun and ended again. */
      const polled = async (): Promise<void> => {
        const fromMs = performance.now();
        const asked = () => new Set(records.filter(({ atMs }) => atMs > fromMs).map(({ what }) => what.split(' ')[0]));
        await until(() => asked().size === polls.length, 30_000);
      };
      /** The last answer of each poll. */
      const last = () => new Map(records.map(({ what }) => what.split(' ') as [string, string]));
      const isAway = (answer: string): boolean => answer === 'UNAVAILABLE' || answer === '503';
      await polled();
      await leave(redis);
      // A signal takes a moment to arrive.
      await until(() => last().size === polls.length && [...last().values()].every(isAway), 30_000);
      away.from = performance.now();
      await elapse(1_500, 'the store is away');
      away.to = performance.now();
      await back(redis);
      await until(async () => (await client.health()) === 'SERVING', HEALED_MS);
      const healedMs = performance.now();
      await polled();
      over = true;
      await Promise.all(polls);

      const answers = (some: typeof records) => new Set(some.map(({ what }) => what));
      const within = answers(records.filter(({ atMs, endMs }) => atMs > away.from && endMs < away.to));
      expect(within).to.have.keys('good UNAVAILABLE', 'dead UNAVAILABLE', 'retry 503', 'spent 503');
      const sure = ['good active', 'dead REVOKED', 'retry 200', 'spent 401'];
      expect(answers(records)).to.have.keys(...within, ...sure);
      expect(answers(records.filter(({ atMs }) => atMs > healedMs))).to.have.keys(...sure);
    });
  });
}
