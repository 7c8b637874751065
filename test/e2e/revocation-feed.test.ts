// Tests of the revocation feed by real processes: two nodes on Redis, two processes on one folder, and workers.

import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { WatchRevocationsResponse } from '../../proto/gen/auth/v1/auth_service.js';
import { FeedStream } from '../support/feed-stream.js';
import type { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/waiting.js';
import { Crew } from '../workers/crew.js';
import { type RunningNode, Stage } from './stage.js';

const MARGIN_MS = 10_000;

/** Whether a message answers the ping with an id. */
const isPong = ({ pong }: WatchRevocationsResponse, id: number): boolean => pong !== undefined && pong.id >= id;

describe('the revocation feed', function () {
  this.timeout(60_000);
  const stage = new Stage();
  after(() => stage.clear());

  const watch = (address: string): FeedStream => {
    const stream = new FeedStream(address);
    stage.owns(() => stream.close());
    return stream;
  };
  /** Logs a session out. @returns what the feed says of it */
  const end = async ({ client }: Pick<RunningNode, 'client'>, subject = 'ann'): Promise<string> => {
    const { sessionId, refreshToken } = await client.issue(subject);
    await client.logout({ refreshToken });
    return `s${sessionId.replaceAll('-', '')}`;
  };

  describe('of two nodes on Redis', () => {
    let redis: RedisServer;
    let nodes: readonly [RunningNode, RunningNode];
    before(async () => {
      redis = await stage.redis();
      nodes = [await stage.serve(redis), await stage.serveHere(redis)];
    });
    const logOf = async (subject: string): Promise<string> => {
      const [log = ''] = await redis.raw.keys(`${(await redis.raw.keys('lk:1:*:u:*'))[0]?.replace(/:u:.*/, '')}:log`);
      expect(log, subject).to.not.equal('');
      return log;
    };

    it('has streamed an end at the other node by the pong, and within 200 ms without a ping', async () => {
      const stream = watch(nodes[0].process.address);
      await stream.pong();
      for (let n = 0; n < 10; n++) {
        const ended = await end(nodes[1], `user-${n}`);
        await stream.pong();
        expect(stream.said).to.include(ended);
      }
      const ended = await end(nodes[1]);
      const startMs = performance.now();
      await stream.until(() => stream.said.includes(ended));
      expect(performance.now() - startMs).to.be.below(200);
    });

    it('begins a stream with the ends of before, at either node', async () => {
      const ended = await end(nodes[0]);
      for (const { process } of nodes) {
        const stream = watch(process.address);
        await stream.until(() => stream.isCaughtUp);
        await stream.pong();
        expect(stream.said).to.include(ended);
      }
    });

    it('is complete only since a log was deleted by hand, and since an older version wrote', async () => {
      await nodes[0].client.revokeSubject('only');
      const stream = watch(nodes[0].process.address);
      await stream.pong();
      const log = await logOf('only');
      const newestMs = () => Math.max(...[...stream.states.values()].map(({ completeSinceMs }) => completeSinceMs));
      for (const harm of [
        () => redis.raw.del(log),
        // An earlier version drops the zero.
        async () => {
          const birth = log.replace(/log$/, 'born');
          await redis.raw.set(birth, ((await redis.raw.get(birth)) ?? '').replace(/ 0(\d+)$/, ' $1'));
        },
      ]) {
        const [atMs, beforeMs] = [Date.now(), newestMs()];
        await harm();
        await stream.pong();
        await stream.until(() => newestMs() > beforeMs && newestMs() >= atMs + MARGIN_MS - 1_000);
      }
    });

    it('covers nothing while Redis is away, and everything once it is back, without a new stream', async () => {
      const stream = watch(nodes[0].process.address);
      await stream.pong();
      await redis.kill();
      await until(async () => (await stream.pong()).uncovered.equals(Buffer.alloc(8, 0xff)), 5_000);
      await redis.restart();
      await until(async () => (await stream.pong()).uncovered.length === 0, 10_000);
      // Each node reconnects by itself: the other one may be back later than the one with the stream.
      await until(async () => (await nodes[1].client.health()) === 'SERVING');
      const ended = await end(nodes[1]);
      await stream.pong();
      expect(stream.said).to.include(ended);
    });

    it('ends with UNAVAILABLE when its node stops', async () => {
      const node = await stage.serveHere(redis);
      const stream = watch(node.process.address);
      await stream.pong();
      const stopped = node.process.stop();
      expect(await stream.ended).to.equal('UNAVAILABLE');
      expect(await stopped).to.equal(0);
    });
  });

  it('of a node whose read is on its way does not answer by it what came later', async () => {
    const redis = await stage.redis();
    const proxy = await TcpProxy.start(redis.port);
    stage.owns(() => proxy.stop());
    const node = await stage.serveHereAt(`redis://127.0.0.1:${proxy.port}`);
    const other = await stage.serveHere(redis);
    const stream = watch(node.process.address);
    let scenes = 0;
    for (let tries = 0; scenes < 3 && tries < 30; tries++) {
      await until(async () => (await stream.pong()).uncovered.length === 0);
      // Redis has answered a whole read: the births come last.
      const held = proxy.heldBack(' born ');
      proxy.hold('down');
      const early = stream.ping();
      const isAnswered = () => stream.pongs.some(({ id }) => id >= early);
      // A node that has just lost its Redis reads nothing.
      await Promise.race([held, stream.until(isAnswered)]);
      const ended = await end(other, `user-${tries}`);
      const late = stream.ping();
      await stream.arrived();
      proxy.mend();
      await stream.until(() => stream.pongs.some(({ id }) => id >= late));
      const [first = 0, pong = 0] = [early, late].map((id) => stream.messages.findIndex((each) => isPong(each, id)));
      // On a slow machine the node has given that read up.
      if (stream.messages.slice(first, pong + 1).some((each) => (each.pong?.uncovered.length ?? 0) > 0)) continue;
      expect(stream.saidBy(pong)).to.include(ended);
      if (first < pong) scenes++;
    }
    expect(scenes).to.equal(3);
  });

  it('of two processes on one folder has streamed ends at the other by the pong', async () => {
    const folder = await stage.folder();
    const nodes = [await stage.serve(folder), await stage.serve(folder)] as const;
    const stream = watch(nodes[0].process.address);
    await stream.pong();
    for (let n = 0; n < 10; n++) {
      const ended = await end(nodes[1], `user-${n}`);
      await stream.pong();
      expect(stream.said).to.include(ended);
    }
  });

  it('of workers is the same at each of them', async () => {
    const redis = await stage.redis();
    const secret = randomBytes(8).toString('hex');
    const crew = await Crew.start({ env: { REDIS_URL: redis.url, JWT_ISSUER: secret } });
    stage.owns(() => crew.process.kill());
    const client = crew.client();
    // Each on a connection of its own, and so at either worker.
    const streams = Array.from({ length: 4 }, () => watch(crew.address));
    await Promise.all(streams.map((stream) => stream.pong()));
    const ended = await end({ client });
    await Promise.all(streams.map((stream) => stream.pong()));
    for (const stream of streams) {
      expect(stream.said).to.include(ended);
      expect(stream.messages[0]?.settings?.issuer).to.equal(secret);
    }
    client.close();
  });
});
