// What callers see when a node of a Redis Cluster dies, or is paused and resumes.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { shardOf, slotOf } from '../../src/adapters/redis/keys.js';
import { type RunningNode, type ServiceNode, Stage } from '../e2e/stage.js';
import { CallFailed, failureOfCall } from '../support/auth-client.js';
import { type ClusterOptions, ClusterWorld } from '../support/redis-cluster.js';
import { holdsFor, until } from '../support/waiting.js';

/** What a failover takes with these settings, and a slow machine beside it, ms. */
const FAILOVER_MS = 40_000;
const print = (text: string): unknown => process.stdout.write(`      ${text}\n`);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('a Redis Cluster', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let world: ClusterWorld;
  let nodes: readonly [RunningNode, RunningNode];
  afterEach(() => stage.clear());

  const begin = async (options: ClusterOptions, minReplicas: number): Promise<void> => {
    world = await ClusterWorld.start(options);
    stage.owns(() => world.stop());
    const serve = () => stage.serveHereAt(world.url, { REDIS_MIN_REPLICAS: `${minReplicas}` });
    nodes = await Promise.all([serve(), serve()]);
    await serving();
  };
  const serving = async (): Promise<void> => {
    for (const { client } of nodes) await until(async () => (await client.health()) === 'SERVING', 30_000);
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
  /** A subject for each server, whose slot it has. */
  const subjectAt = async (server: unknown): Promise<string> => {
    for (const n of numbers(1_000)) {
      const subject = `user-${n}`;
      if ((await world.ownerOf(slotOf(shardOf(subject)))) === server) return subject;
    }
    throw new Error('no subject of that server');
  };

  it('after the death of a primary keeps what was acknowledged, and is whole within seconds', async () => {
    await begin({}, 1);
    const [{ client }] = nodes;
    const subjects = numbers(12).map((n) => `user-${n}`);
    const out = await Promise.all(subjects.map((subject) => client.issue(subject)));
    const on = await Promise.all(subjects.map((subject) => client.issue(subject)));
    await Promise.all(out.map(({ refreshToken }) => client.logout({ refreshToken })));
    const next = await Promise.all(on.map(({ refreshToken }) => client.refresh(refreshToken)));
    const slot = slotOf(shardOf('user-0'));
    const dead = await world.ownerOf(slot);
    if (!dead) throw new Error('the nodes do not agree');
    await dead.kill();
    const diedMs = performance.now();
    await world.failedOver(slot, dead, FAILOVER_MS);
    const verdictsOf = async (pairs: readonly TokenPair[]): Promise<string[]> =>
      (await Promise.all(pairs.map(verdicts))).flat();
    await until(async () => !(await verdictsOf(next)).includes('UNAVAILABLE'), FAILOVER_MS);
    print(
      `a dead primary of a cluster: all tokens are decided on again ${Math.round(performance.now() - diedMs)} ms after its death`,
    );
    expect(new Set(await verdictsOf(next))).to.deep.equal(new Set(['active']));
    // The new primary has no replica yet: no end of its subjects' sessions can be acknowledged or reported.
    for (const verdict of await verdictsOf(out)) expect(verdict).to.be.oneOf(['REVOKED', 'UNAVAILABLE']);
    await dead.restart();
    await world.settled();
    await until(async () => (await verdictsOf(out)).every((each) => each === 'REVOKED'), FAILOVER_MS);
    await until(async () => {
      const outcomes = await Promise.allSettled(next.map(({ refreshToken }) => client.refresh(refreshToken)));
      return outcomes.every(({ status }) => status === 'fulfilled');
    }, FAILOVER_MS);
  });

  it('leaves no caller with a primary that was paused and wakes: no answer of it is used', async () => {
    await begin({}, 1);
    const [{ client }, other] = nodes;
    const subject = 'user-0';
    const slot = slotOf(shardOf(subject));
    const out = await client.issue(subject);
    await other.client.verdict(out.accessToken);
    const old = await world.ownerOf(slot);
    if (!old) throw new Error('the nodes do not agree');
    old.pause();
    await world.failedOver(slot, old, FAILOVER_MS);
    await until(async () => (await verdicts(out)).every((each) => each === 'active'), FAILOVER_MS);
    // It cannot be acknowledged, for the new primary has no replica; but it is written, and the token is not active.
    await client.logout({ refreshToken: out.refreshToken }).catch(() => {});
    await until(async () => (await verdicts(out)).every((each) => each === 'UNAVAILABLE'), FAILOVER_MS);
    old.resume();
    await holdsFor(3_000, async () => {
      expect(await verdicts(out)).to.not.include('active');
    });
    await until(async () => (await verdicts(out)).every((each) => each === 'REVOKED'), FAILOVER_MS);
  });

  it('has a failover noticed by a node that was paused with the primary, and wakes with its connection to it', async () => {
    await begin({}, 0);
    const [{ client }] = nodes;
    const other: ServiceNode = await stage.serveAt(world.url);
    nodes = [nodes[0], other];
    await serving();
    const subject = 'user-0';
    const slot = slotOf(shardOf(subject));
    const out = await client.issue(subject);
    expect(await other.client.verdict(out.accessToken)).to.equal('active');
    const old = await world.agreedOwnerOf(slot, FAILOVER_MS);
    other.process.child.kill('SIGSTOP');
    old.pause();
    await world.failedOver(slot, old, FAILOVER_MS);
    await until(
      () =>
        client.logout({ refreshToken: out.refreshToken }).then(
          () => true,
          () => false,
        ),
      FAILOVER_MS,
    );
    // Its first answers do not show that it is late.
    const others = world.servers.filter((server) => server !== old);
    for (const server of others) server.pause();
    const waiting = numbers(10).map(() => verdicts(out));
    old.resume();
    other.process.child.kill('SIGCONT');
    for (const each of await Promise.all(waiting)) expect(each).to.not.include('active');
    for (const server of others) server.resume();
    await until(async () => (await verdicts(out)).every((each) => each === 'REVOKED'), FAILOVER_MS);
  });

  it('serves the subjects of the others while a primary without a replica is down', async () => {
    await begin({ replicas: 0 }, 0);
    const [{ client }] = nodes;
    const [down, up] = world.servers;
    if (!down) throw new Error('there are no servers');
    const [away, here] = [await subjectAt(down), await subjectAt(up)];
    const [lost, kept] = [await client.issue(away), await client.issue(here)];
    await down.kill();
    await until(async () => (await verdicts(lost)).every((each) => each === 'UNAVAILABLE'), FAILOVER_MS);
    for (const { client: each } of nodes) expect(await each.health()).to.equal('SERVING');
    expect(await verdicts(kept)).to.deep.equal(['active', 'active']);
    const among = await client.validateMany([lost.accessToken, kept.accessToken, 'nonsense', lost.accessToken]);
    const said = among.map(({ validation, cannotTell }) => (cannotTell ? 'cannot tell' : validation?.active));
    expect(said).to.deep.equal(['cannot tell', true, false, 'cannot tell']);
    const next = await client.refresh(kept.refreshToken);
    await client.logout({ refreshToken: next.refreshToken });
    expect(await verdicts(kept)).to.deep.equal(['REVOKED', 'REVOKED']);
    expect((await failureOfCall(client.issue(away))).code).to.equal('UNAVAILABLE');
    // One that starts now serves them, too.
    const late = await stage.serveHereAt(world.url);
    await until(async () => (await late.client.health()) === 'SERVING', FAILOVER_MS);
    await until(async () => (await late.client.verdict(kept.accessToken).catch(() => '')) === 'REVOKED', FAILOVER_MS);
    await down.restart();
    await until(async () => (await verdicts(lost)).every((each) => each === 'REVOKED'), FAILOVER_MS);
  });
});
