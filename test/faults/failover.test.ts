// Tests of a failover of real servers: which acknowledged writes survive.
//
// With REDIS_MIN_REPLICAS all of them do; without it those that a running node has acknowledged.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { keyOf } from '../e2e/entries.js';
import { type RunningNode, Stage } from '../e2e/stage.js';
import { CallFailed, failureOfCall } from '../support/auth-client.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { elapse, until } from '../support/waiting.js';
import { isServing } from './fault-scene.js';
import { verdictOf } from './ledger.js';

/** A primary with a replica, and an address that leads to the primary of the day. */
class Pair {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly #proxy: TcpProxy;

  private constructor(primary: RedisServer, replica: RedisServer, proxy: TcpProxy) {
    this.primary = primary;
    this.replica = replica;
    this.#proxy = proxy;
  }

  static async start(): Promise<Pair> {
    const primary = await RedisServer.start();
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', `${primary.port}`);
    const pair = new Pair(primary, replica, await TcpProxy.start(primary.port));
    await pair.inStep();
    return pair;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#proxy.port}`;
  }

  /** Waits until the replica has everything. */
  async inStep(): Promise<void> {
    await until(async () => /^master_link_status:up/m.test(await this.replica.raw.info('replication')), 30_000);
    await this.primary.raw.set('mark', '1');
    await this.primary.raw.wait(1, 2_000);
  }

  /** The replica gets nothing any more, and does not know. */
  async sever(): Promise<void> {
    await this.replica.raw.call('REPLICAOF', 'NO', 'ONE');
  }

  /** The primary dies, and the replica takes its place. */
  async failOver(): Promise<void> {
    await this.primary.kill();
    await this.sever();
    this.#proxy.redirect(this.replica.port);
  }

  /** @param ms what a round trip takes longer from now on */
  slow(ms: number): void {
    this.#proxy.delay(ms);
  }

  cut(): void {
    this.#proxy.cut();
  }

  async stop(): Promise<void> {
    await this.#proxy.stop();
    await this.replica.stop();
    await this.primary.stop();
  }
}

const succeeds = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    () => false,
  );

const SETBACK = 'the store has lost writes';
const setbacks = ({ process }: RunningNode): Record<string, unknown>[] =>
  process.lines().filter(({ level, msg }) => level === 'error' && `${msg}`.startsWith(SETBACK));
const GRACE_MS = 2_000;
const GRACE = { REFRESH_GRACE: `${GRACE_MS / 1000}s` };

describe('a failover of Redis', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let pair: Pair;
  beforeEach(async () => {
    pair = await Pair.start();
  });
  afterEach(async () => {
    await stage.clear();
    await pair.stop();
  });

  const serve = (env: Readonly<Record<string, string>> = {}): Promise<RunningNode> =>
    stage.serveHereAt(pair.url, { ...GRACE, ...env });
  const serving = ({ client }: RunningNode): Promise<number> =>
    until(async () => (await client.health()) === 'SERVING', 30_000);
  const audited = ({ process }: RunningNode, event: string): number =>
    process.lines().filter(({ audit }) => (audit as { event?: string } | undefined)?.event === event).length;

  describe('with REDIS_MIN_REPLICAS=1', () => {
    it('loses nothing that was acknowledged, though the node that did so dies too', async () => {
      const node = await stage.serveAt(pair.url, { ...GRACE, REDIS_MIN_REPLICAS: '1' });
      const issue = () => Promise.all(Array.from({ length: 60 }, (_, n) => node.client.issue(`user-${n}`)));
      const [out, on] = [await issue(), await issue()];
      const loggedOut: TokenPair[] = [];
      const refreshed: TokenPair[] = [];
      const unlessFailed = (error: unknown): void => {
        if (!(error instanceof CallFailed)) throw error;
        expect(error.failure.code).to.equal('UNAVAILABLE');
      };
      let next = 0;
      // Four callers at the same time; the primary dies under them when a third is done.
      const caller = async (): Promise<void> => {
        for (let n = next++; n < out.length; n = next++) {
          const [leaving, staying] = [out[n] as TokenPair, on[n] as TokenPair];
          const logout = node.client.logout({ refreshToken: leaving.refreshToken });
          const refresh = node.client.refresh(staying.refreshToken);
          await Promise.all([
            logout.then(() => loggedOut.push(leaving), unlessFailed),
            refresh.then((answer) => refreshed.push(answer), unlessFailed),
          ]);
          if (n === 20) void pair.primary.kill();
        }
      };
      await Promise.all(Array.from({ length: 4 }, caller));
      expect(loggedOut.length).to.be.greaterThan(5);
      expect(refreshed.length).to.be.greaterThan(5);
      expect(loggedOut.length + refreshed.length).to.be.below(120);
      await node.process.kill();
      await pair.failOver();
      // It remembers nothing: only the replica's entries count.
      const successor = await serve();
      await serving(successor);
      for (const { accessToken } of loggedOut) expect(await successor.client.verdict(accessToken)).to.equal('REVOKED');
      for (const { accessToken } of refreshed) expect(await successor.client.verdict(accessToken)).to.equal('active');
      await Promise.all(refreshed.map(({ refreshToken }) => successor.client.refresh(refreshToken)));
      // Lines of the log are a moment behind.
      await until(() => audited(successor, 'session_refreshed') === refreshed.length, 30_000);
      expect(audited(successor, 'session_healed')).to.equal(0);
    });

    it('says of no session that it is over without the replica: neither RefreshToken nor ValidateToken', async () => {
      const [node, other] = await Promise.all([serve({ REDIS_MIN_REPLICAS: '1' }), serve({ REDIS_MIN_REPLICAS: '1' })]);
      const [out, everywhere] = [await node.client.issue('out'), await node.client.issue('everywhere')];
      await pair.replica.kill();
      const ends = [
        node.client.logout({ refreshToken: out.refreshToken }),
        node.client.logout({ refreshToken: everywhere.refreshToken, allSessions: true }),
      ];
      for (const { code } of await Promise.all(ends.map(failureOfCall))) expect(code).to.equal('UNAVAILABLE');
      for (const { client } of [node, other]) {
        for (const { accessToken, refreshToken } of [out, everywhere]) {
          const calls = [
            client.refresh(refreshToken),
            client.verdict(accessToken),
            client.logout({ refreshToken, allSessions: true }),
          ];
          for (const { code } of await Promise.all(calls.map(failureOfCall))) expect(code).to.equal('UNAVAILABLE');
        }
      }
      await pair.replica.restart();
      await pair.inStep();
      await until(() => succeeds(other.client.verdict(out.accessToken)), 30_000);
      // Every answer from now on is on the replica.
      for (const { accessToken } of [out, everywhere])
        expect(await other.client.verdict(accessToken)).to.equal('REVOKED');
      await Promise.all([node.process.kill(), other.process.kill()]);
      await pair.failOver();
      const successor = await serve();
      await serving(successor);
      for (const { accessToken } of [out, everywhere])
        expect(await successor.client.verdict(accessToken)).to.equal('REVOKED');
    });

    it('acknowledges nothing without the replica, not even what was written before; an active token is answered', async () => {
      const node = await serve({ REDIS_MIN_REPLICAS: '1' });
      const [out, on] = [await node.client.issue(), await node.client.issue()];
      await pair.replica.kill();
      const refusals = async (): Promise<string[]> => {
        const calls = [node.client.logout({ refreshToken: out.refreshToken }), node.client.refresh(on.refreshToken)];
        return (await Promise.all(calls.map(failureOfCall))).map(({ code, retryAfterS }) => `${code} ${retryAfterS}`);
      };
      expect(await refusals()).to.deep.equal(['UNAVAILABLE 1', 'UNAVAILABLE 1']);
      // Both were written: what is asked for again is only read.
      expect(await refusals()).to.deep.equal(['UNAVAILABLE 1', 'UNAVAILABLE 1']);
      expect((await failureOfCall(node.client.verdict(out.accessToken))).code).to.equal('UNAVAILABLE');
      expect(await node.client.verdict(on.accessToken)).to.equal('active');
      expect(await node.client.health()).to.equal('SERVING');
      // For longer than the window: no call could get an answer in it, neither here nor at a node without calls.
      const other = await serve({ REDIS_MIN_REPLICAS: '1' });
      await elapse(1.25 * GRACE_MS, 'the window ends');
      await pair.replica.restart();
      await pair.inStep();
      await until(() => succeeds(node.client.logout({ refreshToken: out.refreshToken })), 30_000);
      const next = await other.client.refresh(on.refreshToken);
      expect((await node.client.refresh(on.refreshToken)).refreshToken).to.equal(next.refreshToken);
      expect(audited(node, 'session_reused') + audited(other, 'session_reused')).to.equal(0);
    });

    it('finds a slow Redis again after a cut', async () => {
      const node = await serve({ REDIS_MIN_REPLICAS: '1' });
      pair.slow(300);
      pair.cut();
      await until(async () => (await node.client.health()) === 'NOT_SERVING', 30_000);
      await serving(node);
    });

    it('lets no read queue behind a wait', async () => {
      const node = await serve({ REDIS_MIN_REPLICAS: '1' });
      const [out, on] = [await node.client.issue(), await node.client.issue()];
      await node.client.verdict(on.accessToken);
      pair.replica.pause();
      const startMs = performance.now();
      let waitedMs: number | undefined;
      const waiting = failureOfCall(node.client.logout({ refreshToken: out.refreshToken })).then(() => {
        waitedMs = performance.now() - startMs;
      });
      await until(async () => !(await pair.primary.raw.info('clients')).includes('blocked_clients:0'), 30_000);
      let answered = 0;
      while (waitedMs === undefined) {
        expect(await node.client.verdict(on.accessToken)).to.equal('active');
        if (waitedMs === undefined) answered++;
      }
      await waiting;
      pair.replica.resume();
      expect(waitedMs).to.be.within(200, 3_000);
      // Behind it they would have been answered after it.
      expect(answered).to.be.above(1);
    });
  });

  describe('without it, to a replica that lacks the last writes', () => {
    it('takes back nothing that a living node had acknowledged, and is logged as an error', async () => {
      const [node, other] = [await serve(), await serve()];
      const [out, chain, cut, used] = [
        await node.client.issue(),
        await node.client.issue('bob'),
        await node.client.issue('carol'),
        await node.client.issue('dave'),
      ];
      const first = await node.client.refresh(chain.refreshToken);
      await pair.inStep();
      await pair.sever();
      await node.client.logout({ refreshToken: out.refreshToken });
      const second = await node.client.refresh(first.refreshToken);
      await node.client.revokeSubject('carol');
      const after = await node.client.issue('carol');
      await other.client.refresh(used.refreshToken);
      await pair.failOver();
      await Promise.all([serving(node), serving(other)]);
      await until(() => setbacks(node).length > 0 && setbacks(other).length > 0, 30_000);
      for (const { client } of [node, other]) {
        expect(await client.verdict(out.accessToken)).to.equal('REVOKED');
        expect(await client.verdict(cut.accessToken)).to.equal('REVOKED');
        expect(await client.verdict(after.accessToken)).to.equal('active');
        expect(await client.verdict(second.accessToken)).to.equal('active');
      }
      await other.client.refresh(second.refreshToken);
      expect(audited(other, 'session_healed') + audited(other, 'session_lost')).to.equal(0);
      expect(setbacks(node)[0]).to.include({ again: 3, setbacks: 1 });
      expect(setbacks(other)[0]).to.include({ again: 1, setbacks: 1 });
      expect((await failureOfCall(node.client.refresh(first.refreshToken))).reason).to.equal('REUSED');
    });
  });
});

describe('a Redis that follows another one, and is made the primary again', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let pair: Pair;
  afterEach(async () => {
    await stage.clear();
    await pair.stop();
  });

  /** @param noticed whether the node finds out before it is over */
  async function followsAndReturns(noticed: boolean): Promise<void> {
    pair = await Pair.start();
    const node = await stage.serveHereAt(pair.url);
    const out = await node.client.issue();
    await pair.inStep();
    await pair.sever();
    await node.client.logout({ refreshToken: out.refreshToken });
    // The count is overtaken there, so that it does not reveal the loss.
    const beside = await stage.serveHereAt(pair.replica.url);
    for (let n = 0; n < 4; n++)
      await beside.client.logout({ refreshToken: (await beside.client.issue()).refreshToken });
    const { primary, replica } = pair;
    await primary.raw.call('REPLICAOF', '127.0.0.1', `${replica.port}`);
    await until(async () => /^master_link_status:up/m.test(await primary.raw.info('replication')), 30_000);
    if (noticed) await until(async () => !(await isServing(node)), 30_000);
    await primary.raw.call('REPLICAOF', 'NO', 'ONE');
    const verdict = () => verdictOf(node, out);
    await until(async () => (await isServing(node)) && (await verdict()) === 'REVOKED', 30_000);
    // By the node, since the other one has no record of it.
    expect(await primary.raw.get(await keyOf(primary, out.sessionId))).to.match(/ ended logout$/);
    await until(() => setbacks(node).length > 0, 30_000);
  }

  it('is another one: nothing that a living node had acknowledged is taken back', () => followsAndReturns(true));

  it('is another one though it was so short that no call met the replica', () => followsAndReturns(false));
});

describe('a Redis that is started from an old snapshot', function () {
  this.timeout(120_000);
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('takes back nothing that a living node had acknowledged', async () => {
    const redis = await stage.redis('--save', '3600 1');
    const node = await stage.serve(redis);
    const [out, on] = [await node.client.issue(), await node.client.issue()];
    await redis.raw.save();
    await node.client.logout({ refreshToken: out.refreshToken });
    const next = await node.client.refresh(on.refreshToken);
    await redis.restart();
    /** The first verdict after it: the node may notice the restart by this very call. */
    const verdict = async (pair: TokenPair): Promise<string> => {
      let last = '';
      await until(async () => {
        last = await verdictOf(node, pair);
        return last !== 'UNAVAILABLE';
      }, 30_000);
      return last;
    };
    expect(await verdict(out)).to.equal('REVOKED');
    expect(await verdict(next)).to.equal('active');
    await node.client.refresh(next.refreshToken);
  });
});
