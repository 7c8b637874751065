// Tests that the move of a slot of a Redis Cluster under load fails hardly a call, and revives no session.

import { expect } from 'chai';
import { shardOf, slotOf } from '../../src/adapters/redis/keys.js';
import type { Span } from '../chaos/record.js';
import { isNearStall, watchStalls } from '../chaos/stalls.js';
import { Stage } from '../e2e/stage.js';
import { CallFailed } from '../support/auth-client.js';
import { ClusterWorld } from '../support/redis-cluster.js';
import { until } from '../support/waiting.js';

const LIMIT_MS = 40_000;
/** How many of some hundred calls may fail while a slot moves, beside those that a stall of the machine held up. */
const MOST_FAILURES = 4;
/** What share of all calls may fail. A service that does not follow a slot fails most of them. */
const MOST_SHARE = 0.05;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('a Redis Cluster', function () {
  this.timeout(120_000);
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('moves a slot under load without a call that fails, and without one that finds an ended session standing', async () => {
    const world = await ClusterWorld.start({});
    stage.owns(() => world.stop());
    const nodes = await Promise.all([stage.serveHereAt(world.url), stage.serveHereAt(world.url)] as const);
    for (const each of nodes) await until(async () => (await each.client.health()) === 'SERVING', LIMIT_MS);
    const [{ client }, other] = nodes;
    const subject = 'user-0';
    const slot = slotOf(shardOf(subject));
    const from = await world.ownerOf(slot);
    const to = world.servers.slice(0, 3).find((server) => server !== from);
    if (!to) throw new Error('there is nowhere to go');
    // Something that can be moved while all else is not there.
    const first = await client.issue(subject);
    await client.logout({ refreshToken: first.refreshToken });
    let moving = true;
    let calls = 0;
    const failures: Span[] = [];
    const watch = watchStalls(() => performance.now());
    const call = async <T>(work: Promise<T>): Promise<T | undefined> => {
      calls++;
      const fromMs = performance.now();
      return work.catch((error: unknown) => {
        if (!(error instanceof CallFailed && error.failure.code === 'UNAVAILABLE')) throw error;
        failures.push({ fromMs, toMs: performance.now() });
        return undefined;
      });
    };
    const user = async (): Promise<void> => {
      while (moving) {
        const pair = await call(client.issue(subject));
        const next = pair && (await call(other.client.refresh(pair.refreshToken)));
        if (!next) continue;
        expect(await call(client.verdict(next.accessToken))).to.be.oneOf(['active', undefined]);
        if ((await call(client.logout({ refreshToken: next.refreshToken }))) === undefined && failures.length > 0)
          continue;
        for (const each of nodes) {
          expect(await call(each.client.verdict(next.accessToken))).to.be.oneOf(['REVOKED', undefined]);
        }
      }
    };
    const users = Promise.all(numbers(4).map(user));
    /** Waits for `count` more calls. */
    const made = (count: number): Promise<number> => {
      const most = calls + count;
      return until(() => calls >= most, LIMIT_MS);
    };
    await made(40);
    await world.migrate(slot, to, async () => void (await made(200)));
    await made(100);
    moving = false;
    await users;
    const stalls = watch.end();
    const own = failures.filter((failure) => !isNearStall(failure, stalls));
    expect(calls).to.be.above(40);
    const what = `of ${calls} calls ${failures.length} failed, ${own.length} of them not near a stall`;
    expect(own.length, what).to.be.at.most(MOST_FAILURES);
    expect(failures.length, what).to.be.at.most(MOST_SHARE * calls);
    expect(await world.ownerOf(slot)).to.equal(to);
    for (const each of nodes) expect(await each.client.verdict(first.accessToken)).to.equal('REVOKED');
  });
});
