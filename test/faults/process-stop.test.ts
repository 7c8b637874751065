// Tests that a graceful stop drops no accepted call, and that clients with another node see no failure.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { pairIn } from '../e2e/browser.js';
import { type ServiceNode, Stage } from '../e2e/stage.js';
import { claimsOf } from '../e2e/tokens.js';
import { CallFailed } from '../support/auth-client.js';
import { serveInProcess } from '../support/in-process.js';
import { JWT_SECRET } from '../support/processes.js';
import { RedisMonitor } from '../support/redis-monitor.js';
import type { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/waiting.js';

const CALLS = 12;
/**
 * How long Redis takes for an answer, ms: a refresh, which asks twice, is under way for twice as long. Far from what the
 * service waits for an answer, and the gateway for the service.
 */
const SLOW_MS = 100;

interface Slowable {
  readonly node: ServiceNode;
  readonly proxy: TcpProxy;
  readonly redis: RedisServer;
}

describe('a service that gets a signal to stop under load', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    await stage.clear();
    for (const end of ends.splice(0)) await end();
  });

  /** A node whose Redis can be made slow. */
  async function slowable(): Promise<Slowable> {
    const redis = await stage.redis();
    const proxy = await TcpProxy.start(redis.port);
    ends.push(() => proxy.stop());
    const node = await stage.serve(redis, { REDIS_URL: `redis://127.0.0.1:${proxy.port}`, REFRESH_GRACE: '60s' });
    return { node, proxy, redis };
  }

  const logins = ({ client }: ServiceNode): Promise<TokenPair[]> =>
    Promise.all(Array.from({ length: CALLS }, (_, n) => client.issue(`user ${n}`)));

  /** Makes Redis slow, and has calls made. Resolves when it was asked about each session: all calls have been taken in. */
  async function underWay<T>({ redis, proxy }: Slowable, pairs: readonly TokenPair[], call: (pair: TokenPair) => T) {
    const monitor = await RedisMonitor.open(redis.port);
    proxy.delay(SLOW_MS);
    const calls = pairs.map(call);
    await until(() => pairs.every(({ sessionId }) => monitor.text.includes(sessionId)), 30_000);
    monitor.close();
    return calls;
  }

  it('answers every call that is under way, over gRPC', async () => {
    const scene = await slowable();
    const { node } = scene;
    const pairs = await logins(node);
    const calls = await underWay(scene, pairs, ({ refreshToken }) => node.client.refresh(refreshToken));
    const code = node.process.stop();
    const answers = await Promise.all(calls);
    expect(answers.map(({ refreshToken }) => claimsOf(refreshToken)['gen'])).to.deep.equal(pairs.map(() => 1));
    expect(await code).to.equal(0);
  });

  it('answers every request that is under way through the gateway, whichever of the two gets the signal', async () => {
    const scene = await slowable();
    const { node } = scene;
    for (const which of ['gateway', 'service'] as const) {
      const browser = await stage.gateway(node);
      const pairs = await logins(node);
      pairIn(await browser.refresh((await node.client.issue()).refreshToken));
      const requests = await underWay(scene, pairs, ({ refreshToken }) => browser.refresh(refreshToken));
      const code = (which === 'service' ? node : browser).process.stop();
      for (const answer of await Promise.all(requests)) pairIn(answer);
      expect(await code).to.equal(0);
      scene.proxy.delay(0);
    }
  });

  it('has answered, when it is gone, every call that it carried out, while new ones come all the time', async () => {
    const { node } = await slowable();
    const answered = new Set<string>();
    const client = async (n: number): Promise<void> => {
      for (;;) {
        const { refreshToken, sessionId } = await node.client.issue(`user ${n}`);
        await node.client.refresh(refreshToken);
        answered.add(sessionId);
      }
    };
    const gone = Array.from({ length: 12 }, (_, n) => client(n).catch(codeOf));
    await until(() => answered.size > 50, 30_000);
    expect(await node.process.stop()).to.equal(0);
    // A call that comes too late is refused so that the client may retry at another node.
    expect(new Set(await Promise.all(gone))).to.deep.equal(new Set(['UNAVAILABLE']));
    const done = node.process
      .lines()
      .filter(({ method, status }) => method === 'RefreshToken' && status === 'OK')
      .map(({ sessionId }) => String(sessionId));
    expect(done.filter((sessionId) => !answered.has(sessionId))).to.deep.equal([]);
    expect(done).to.have.length.above(50);
  });

  it('is not noticed by clients that try the other node, while each is stopped and started in turn', async () => {
    const redis = await stage.redis();
    const nodes = [await stage.serve(redis), await stage.serve(redis)];
    let over = false;
    let refreshes = 0;
    let switched = 0;
    /** Tries a call where it is, and, if that is not to be had, at the other node. */
    const balanced = async <T>(at: number, call: (node: ServiceNode) => Promise<T>): Promise<T> => {
      for (let attempt = 0; ; attempt++) {
        const node = nodes[(at + attempt) % 2] as ServiceNode;
        try {
          return await call(node);
        } catch (error) {
          if (attempt === 3 || codeOf(error) !== 'UNAVAILABLE') throw error;
          switched++;
        }
      }
    };
    const chain = async (n: number): Promise<void> => {
      let pair = await balanced(n, ({ client }) => client.issue(`user ${n}`));
      for (let gen = 1; !over; gen++) {
        pair = await balanced(n + gen, ({ client }) => client.refresh(pair.refreshToken));
        expect(claimsOf(pair.refreshToken)).to.include({ sid: pair.sessionId, gen });
        expect(await balanced(n, ({ client }) => client.verdict(pair.accessToken))).to.equal('active');
        refreshes++;
      }
    };
    const chains = Promise.all(Array.from({ length: 8 }, (_, n) => chain(n)));
    /** Waits until every chain, on average, has been refreshed three times more. */
    const refreshedOn = (): Promise<number> => {
      const most = refreshes + 24;
      return until(() => refreshes >= most, 30_000);
    };
    for (const { process, client } of nodes) {
      await refreshedOn();
      expect(await process.stop()).to.equal(0);
      const env = { JWT_SECRET, REDIS_URL: redis.url, GRPC_ADDRESS: process.address };
      const again = await serveInProcess(env);
      ends.push(() => again.kill());
      // As a rolling upgrade does: the next one goes when this one is found again.
      const found = () => client.health().catch(codeOf);
      await until(async () => (await found()) === 'SERVING', 30_000);
    }
    await refreshedOn();
    over = true;
    await chains;
    expect(refreshes).to.be.above(50);
    expect(switched).to.be.above(0);
  });

  it('ends within its bound though its store hangs, and at once at the second signal', async () => {
    for (const signals of [1, 2]) {
      const { node, proxy, redis } = await slowable();
      const pair = await node.client.issue();
      const monitor = await RedisMonitor.open(redis.port);
      proxy.hold('down');
      const call = node.client.refresh(pair.refreshToken).catch(codeOf);
      await until(() => monitor.text.includes(pair.sessionId), 30_000);
      monitor.close();
      const startMs = performance.now();
      const code = node.process.stop();
      await until(() => node.process.lines().some(({ msg }) => msg === 'stopping'), 30_000);
      if (signals === 2) node.process.child.kill('SIGTERM');
      expect(await code).to.equal(signals === 2 ? 1 : 0);
      expect(performance.now() - startMs).to.be.below(signals === 2 ? 1_500 : 4_000);
      expect(await call).to.equal('UNAVAILABLE');
    }
  });
});

/** The code of a failed call. @throws whatever else failed */
function codeOf(error: unknown): string {
  if (error instanceof CallFailed) return error.failure.code;
  throw error;
}
