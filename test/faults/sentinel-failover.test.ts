// What callers see when the primary that Sentinels name dies, is paused, or resumes unaware of its replacement.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { type RunningNode, type ServiceNode, Stage } from '../e2e/stage.js';
import { CallFailed, failureOfCall } from '../support/auth-client.js';
import { SentinelWorld } from '../support/redis-sentinel.js';
import type { RedisServer } from '../support/redis-server.js';
import { holdsFor, until } from '../support/waiting.js';

/** What a failover takes with these settings, and a slow machine beside it, ms. */
const FAILOVER_MS = 40_000;

const print = (text: string): unknown => process.stdout.write(`      ${text}\n`);

describe('a failover by Sentinels', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let world: SentinelWorld;
  /** The second one is a process, which can be paused. */
  let nodes: readonly [RunningNode, ServiceNode];

  beforeEach(async () => {
    world = await SentinelWorld.start();
    stage.owns(() => world.stop());
    const env = { REDIS_MIN_REPLICAS: '1' };
    nodes = await Promise.all([stage.serveHereAt(world.url, env), stage.serveAt(world.url, env)]);
    for (const { client } of nodes) await until(async () => (await client.health()) === 'SERVING', 30_000);
  });
  afterEach(() => stage.clear());

  const primary = async (): Promise<RedisServer> => {
    const server = await world.primary();
    if (!server) throw new Error('the Sentinels do not agree');
    return server;
  };
  const verdicts = (pair: TokenPair): Promise<string[]> =>
    Promise.all(
      nodes.map(({ client }) =>
        client.verdict(pair.accessToken).catch((error: unknown) => {
          if (error instanceof CallFailed) return error.failure.code;
          throw error;
        }),
      ),
    );

  it('after the death of the primary keeps what was acknowledged, and is over within seconds', async () => {
    const [{ client }, other] = nodes;
    const [out, on] = [await client.issue(), await client.issue()];
    await client.logout({ refreshToken: out.refreshToken });
    const next = await client.refresh(on.refreshToken);
    const dead = await primary();
    await dead.kill();
    const diedMs = performance.now();
    await world.failedOver(dead, FAILOVER_MS);
    await Promise.all(nodes.map((node) => until(async () => (await node.client.health()) === 'SERVING', FAILOVER_MS)));
    print(
      `a dead primary of Sentinels: both nodes serve again ${Math.round(performance.now() - diedMs)} ms after its death`,
    );
    expect(await verdicts(out)).to.deep.equal(['REVOKED', 'REVOKED']);
    expect(await verdicts(next)).to.deep.equal(['active', 'active']);
    await other.client.refresh(next.refreshToken);
  });

  it('leaves no caller with a primary that was paused and wakes: no answer of it is used', async () => {
    const [{ client }, other] = nodes;
    const out = await client.issue();
    await other.client.verdict(out.accessToken);
    const old = await primary();
    old.pause();
    await world.failedOver(old, FAILOVER_MS);
    await until(async () => (await client.health()) === 'SERVING', FAILOVER_MS);
    await client.logout({ refreshToken: out.refreshToken });
    // It has not learned of its replacement, and does not learn of it.
    for (const sentinel of world.sentinels) sentinel.pause();
    old.resume();
    await holdsFor(4_000, async () => {
      expect(await verdicts(out)).to.not.include('active');
    });
    expect(String(await old.raw.role())).to.match(/^master/);
    for (const sentinel of world.sentinels) sentinel.resume();
    await until(async () => (await verdicts(out)).every((each) => each === 'REVOKED'), FAILOVER_MS);
  });

  it('is noticed by a node that was paused with the primary, and wakes with its connection to it', async () => {
    const [{ client }, other] = nodes;
    const out = await client.issue();
    expect(await other.client.verdict(out.accessToken)).to.equal('active');
    const old = await primary();
    other.process.child.kill('SIGSTOP');
    old.pause();
    await world.failedOver(old, FAILOVER_MS);
    await until(async () => (await client.health()) === 'SERVING', FAILOVER_MS);
    await client.logout({ refreshToken: out.refreshToken });
    // Its first answers do not show that it is late.
    for (const sentinel of world.sentinels) sentinel.pause();
    const waiting = Array.from({ length: 10 }, () => verdicts(out));
    old.resume();
    other.process.child.kill('SIGCONT');
    for (const each of await Promise.all(waiting)) expect(each).to.not.include('active');
    expect(await verdicts(out)).to.not.include('active');
    for (const sentinel of world.sentinels) sentinel.resume();
    await until(async () => (await verdicts(out)).every((each) => each === 'REVOKED'), FAILOVER_MS);
  });

  it('is not believed on the word of one Sentinel that has slept through it', async () => {
    const [{ client }] = nodes;
    const out = await client.issue();
    const [sleeper, ...others] = world.sentinels;
    const old = await primary();
    sleeper?.pause();
    old.pause();
    await until(async () => {
      const ports = await Promise.all(others.map((each) => each.primaryPort()));
      return ports.every((port) => port !== undefined && port !== old.port);
    }, FAILOVER_MS);
    await until(async () => (await client.health()) === 'SERVING', FAILOVER_MS);
    await client.logout({ refreshToken: out.refreshToken });
    await Promise.all(others.map((each) => each.kill()));
    sleeper?.resume();
    old.resume();
    await holdsFor(3_000, async () => {
      expect(await verdicts(out)).to.not.include('active');
    });
    expect((await failureOfCall(client.issue())).code).to.equal('UNAVAILABLE');
  });
});
