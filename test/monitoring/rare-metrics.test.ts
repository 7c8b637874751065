// Tests of metrics that ordinary calls do not move: streams, lost writes, the cache, the units, and the merge of workers.

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { serveMetrics } from '../../src/commands/monitoring.js';
import type { RevocationLogs, Store } from '../../src/core/ports.js';
import { createLogger } from '../../src/platform/log.js';
import { expose } from '../../src/platform/metrics/exposition.js';
import { ProcessMetrics } from '../../src/platform/metrics/process-metrics.js';
import type { PrivateServer } from '../../src/platform/private-server.js';
import { measureKeyAge, measureStore } from '../../src/service/metrics.js';
import { pairIn } from '../e2e/browser.js';
import { type ServiceNode, Stage } from '../e2e/stage.js';
import { failureOfCall } from '../support/auth-client.js';
import { FeedStream } from '../support/feed-stream.js';
import type { Started } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import { SEEN, scrape } from './scrape.js';

const HOUR_MS = 3_600_000;

describe('metrics of what is rare', () => {
  const stage = new Stage();
  let redis: RedisServer;
  let node: ServiceNode;
  before(async () => {
    redis = await stage.redis();
    node = await stage.serve(redis, SEEN);
  });
  after(() => stage.clear());

  const current = async (name: string, of: Started = node.process): Promise<number> =>
    (await scrape(of)).value(name) ?? Number.NaN;

  it('count the streams of revocations, and how late each end was on them', async () => {
    expect(await current('latchkey_watchers')).to.equal(0);
    const streams = [new FeedStream(node.process.address), new FeedStream(node.process.address)];
    await until(() => streams.every(({ isCaughtUp }) => isCaughtUp));
    expect(await current('latchkey_watchers')).to.equal(2);
    expect(await current('latchkey_revocation_delay_seconds_count')).to.equal(0);
    const startMs = performance.now();
    await node.client.logout({ refreshToken: (await node.client.issue()).refreshToken });
    await until(async () => (await current('latchkey_revocation_delay_seconds_count')) === 1);
    const elapsedS = (performance.now() - startMs) / 1000;
    expect(await current('latchkey_revocation_delay_seconds_sum')).to.be.within(0, elapsedS);
    expect(await current('latchkey_feed_round_duration_seconds_count')).to.be.above(0);
    for (const stream of streams) stream.close();
    await until(async () => (await current('latchkey_watchers')) === 0);
  });

  it('count once that the store has lost writes, and each entry that was restored', async () => {
    const { client } = node;
    const ended = await client.issue('loser');
    await client.logout({ refreshToken: ended.refreshToken });
    const [entry = ''] = await redis.raw.keys(`lk:1:*:s:${ended.sessionId}`);
    const birth = entry.replace(/:s:.*/, ':born');
    const [setbacks, restored] = ['latchkey_store_setbacks_total', 'latchkey_acknowledgements_restored_total'];
    expect([await current(setbacks), await current(restored)]).to.deep.equal([0, 0]);
    // As a snapshot from before the logout has them.
    const text = (await redis.raw.get(birth)) ?? '';
    await redis.raw.set(
      birth,
      text.replace(/\d+$/, (writes) => String(Number(writes) - 1).padStart(writes.length, '0')),
    );
    await redis.raw.del(entry);
    expect(await client.verdict(ended.accessToken)).to.equal('REVOKED');
    expect([await current(setbacks), await current(restored)]).to.deep.equal([1, 1]);
  });

  it('count a miss of the cache for a token that is new to the process, and a hit after that', async () => {
    const { accessToken } = await node.client.issue();
    const [hits, misses] = ['latchkey_verified_tokens_hits_total', 'latchkey_verified_tokens_misses_total'];
    const before = [await current(hits), await current(misses)];
    for (let n = 0; n < 3; n++) await node.client.verdict(accessToken);
    const grown = [await current(hits), await current(misses)].map((value, n) => value - (before[n] ?? 0));
    expect(grown).to.deep.equal([2, 1]);
  });

  it('count one outcome of each refresh, also of one that ends the session and is refused', async () => {
    const first = await node.client.issue();
    const next = await node.client.refresh(first.refreshToken);
    const [key = ''] = await redis.raw.keys(`lk:1:*:s:${first.sessionId}`);
    const older = (await redis.raw.get(key)) ?? '';
    const newest = await node.client.refresh(next.refreshToken);
    await redis.raw.set(key, older, 'KEEPTTL');
    const other = await stage.serve(redis, SEEN);
    await other.client.refresh(newest.refreshToken);
    const lost = await node.client.refresh((await node.client.issue()).refreshToken);
    await redis.raw.del(...(await redis.raw.keys(`lk:1:*:s:${lost.sessionId}`)));
    // Ends the session, and refuses the token.
    expect((await failureOfCall(other.client.refresh(lost.refreshToken))).code).to.equal('UNAUTHENTICATED');
    const outcomes = (await scrape(other.process)).text.match(/^latchkey_refreshes_total\{.*\} [1-9].*$/gm);
    expect(outcomes).to.deep.equal([
      'latchkey_refreshes_total{outcome="healed"} 1',
      'latchkey_refreshes_total{outcome="lost"} 1',
    ]);
  });

  it('have durations in seconds: together no longer than the time in which they were', async () => {
    const lone = await stage.serve(await stage.folder(), SEEN);
    const browser = await stage.gateway(lone, { METRICS_ADDRESS: '127.0.0.1:0' });
    const processes = [lone.process, browser.process];
    const sums = async () => {
      const texts = await Promise.all(processes.map(async (each) => (await scrape(each)).text));
      const found = texts.join('\n').matchAll(/^(latchkey_(?:rpc|http|store_operation)\w+_sum)\{.*\} (.+)$/gm);
      const totals = new Map<string, number>();
      for (const [, name = '', value] of found) totals.set(name, (totals.get(name) ?? 0) + Number(value));
      return totals;
    };
    let { refreshToken } = await lone.client.issue();
    const before = await sums();
    const startMs = performance.now();
    for (let n = 0; n < 10; n++) refreshToken = pairIn(await browser.refresh(refreshToken)).refresh;
    const elapsedS = (performance.now() - startMs) / 1000;
    const after = await sums();
    expect(after.size).to.equal(3);
    for (const [name, sum] of after) expect(sum - (before.get(name) ?? 0), name).to.be.within(1e-6, elapsedS);
  });

  it('count a request whose client left before the response as aborted', async () => {
    const { process: gateway } = await stage.gateway(node, { METRICS_ADDRESS: '127.0.0.1:0' });
    const [host = '', port] = gateway.address.split(':');
    const socket = connect(Number(port), host);
    socket.write(
      'POST /api/auth/token/refresh/ HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n',
    );
    // The gateway has begun to read the request.
    await once(socket, 'data');
    socket.destroy();
    const series = [
      'latchkey_http_duration_seconds_count',
      { route: '/api/auth/token/refresh', status: 'aborted' },
    ] as const;
    await until(async () => (await scrape(gateway)).value(...series) === 1);
  });

  it('count a validation or an introspection that could not be decided', async () => {
    const { accessToken } = await node.client.issue();
    await redis.kill();
    const undecided = async () =>
      (await scrape(node.process)).value('latchkey_validations_total', { result: 'cannot_tell' });
    expect(await undecided()).to.equal(0);
    expect((await failureOfCall(node.client.verdict(accessToken))).code).to.equal('UNAVAILABLE');
    expect(await undecided()).to.equal(1);
    await failureOfCall(node.client.introspect(accessToken));
    expect(await undecided()).to.equal(2);
  });
});

describe('the metrics of a process', () => {
  let server: PrivateServer | undefined;
  after(() => server?.close());

  it('are of this process, and in base units', async () => {
    const startS = performance.timeOrigin / 1000;
    const { text } = await expose([new ProcessMetrics('0.0.0').snapshot()], undefined);
    const value = (name: string): number => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    expect(value('process_start_time_seconds')).to.equal(startS);
    const [user, system, both] = ['user_', 'system_', ''].map((kind) => value(`process_cpu_${kind}seconds_total`));
    expect(both).to.be.closeTo((user ?? 0) + (system ?? 0), 0.1);
    const { user: userUs, system: systemUs } = process.cpuUsage();
    expect(both).to.be.within(0, (userUs + systemUs) / 1e6);
    expect(both).to.be.above((userUs + systemUs) / 1e6 / 2);
    // A process of Node has some tens of megabytes.
    expect(value('process_resident_memory_bytes')).to.be.above(20 * 1024 ** 2);
  });

  it('are collected once for all scrapers that ask meanwhile', async () => {
    let collections = 0;
    let answer = (): void => {};
    const others = () => {
      collections++;
      return new Promise<[]>((resolve) => {
        answer = () => resolve([]);
      });
    };
    const settings = { address: { host: '127.0.0.1', port: 0 }, isOptional: false };
    const log = createLogger({ name: 'test', level: 'silent' });
    server = await serveMetrics(settings, new ProcessMetrics('0.0.0'), log, others);
    const { port = 0 } = server?.address ?? {};
    const sockets = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const answers = sockets.map((socket) => once(socket, 'data'));
    for (const socket of sockets) socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    // The server has read all requests that were there before this one.
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).to.equal(404);
    answer();
    for (const [data] of await Promise.all(answers)) expect(String(data)).to.include('200 OK');
    expect(collections).to.equal(1);
  });
});

describe('the metrics of several workers in one', () => {
  it('say that the store is not reachable where one does not reach it, and the age of the oldest key', async () => {
    const worker = (reachableSinceMs: number | undefined, keySinceMs: number) => {
      const metrics = new ProcessMetrics('0.0.0');
      measureStore({ reachableSinceMs } as Store & RevocationLogs, metrics, false);
      measureKeyAge(() => keySinceMs, metrics);
      return metrics.snapshot();
    };
    const nowMs = Date.now();
    const { text } = await expose([worker(1, nowMs), worker(undefined, nowMs - HOUR_MS)], undefined);
    expect(text).to.include('\nlatchkey_store_reachable 0\n');
    expect(Number(/^latchkey_signing_key_age_seconds (.*)$/m.exec(text)?.[1])).to.be.within(3600, 3700);
  });
});
