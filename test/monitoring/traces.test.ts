// Tests of traces: by the real SDK from the client's header to the command of Redis, and without it in the log alone.

import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type Browser, pairIn } from '../e2e/browser.js';
import { type ServiceNode, Stage } from '../e2e/stage.js';
import type { Started } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import { attributesOf, OtlpReceiver, type SentSpan } from './otlp-receiver.js';

const SPAN_ID = '00f067aa0ba902b7';
const newTraceId = (): string => randomBytes(16).toString('hex');
const traceparent = (traceId: string): string => `00-${traceId}-${SPAN_ID}-01`;

/** The trace ids in the log of a process, of the lines with a message and a request id. */
const loggedTraces = (process: Started, msg: string, requestId: string): unknown[] =>
  process
    .lines()
    .filter((line) => line['msg'] === msg && line['requestId'] === requestId)
    .map(({ traceId }) => traceId);

describe('traces', () => {
  describe('with the SDK', () => {
    const stage = new Stage();
    let otlp: OtlpReceiver;
    let redis: RedisServer;
    let node: ServiceNode;
    let browser: Browser;
    before(async () => {
      otlp = await OtlpReceiver.start();
      stage.owns(() => otlp.stop());
      redis = await stage.redis();
      node = await stage.serve(redis, otlp.env);
      browser = await stage.gateway(node, otlp.env);
    });
    after(() => stage.clear());

    /** Each span as its kind, its name and the name of its parent. */
    const shape = (spans: readonly SentSpan[]) =>
      spans.map(({ kind, name, parentSpanId }) => {
        const parent = spans.find(({ spanId }) => spanId === parentSpanId);
        return `${kind === 2 ? 'server' : 'client'} ${name} < ${parent ? `${parent.kind} ${parent.name}` : parentSpanId}`;
      });

    it('follow a refresh from the header of the client to the commands of Redis', async () => {
      const traceId = newTraceId();
      const { refreshToken } = await node.client.issue();
      const headers = { traceparent: traceparent(traceId), 'x-request-id': 'traced' };
      pairIn(await browser.refresh(refreshToken, headers));
      const spans = await otlp.trace(traceId, 5);
      const [http, client, server, read, write] = spans;
      expect(shape(spans)).to.deep.equal([
        `server POST /api/auth/token/refresh < ${SPAN_ID}`,
        'client auth.v1.AuthService/RefreshToken < 2 POST /api/auth/token/refresh',
        'server auth.v1.AuthService/RefreshToken < 3 auth.v1.AuthService/RefreshToken',
        'client EVALSHA_RO < 2 auth.v1.AuthService/RefreshToken',
        'client EVALSHA < 2 auth.v1.AuthService/RefreshToken',
      ]);
      expect(http && attributesOf(http)).to.deep.equal({
        'http.request.method': 'POST',
        'url.scheme': 'http',
        'http.route': '/api/auth/token/refresh',
        'url.path': '/api/auth/token/refresh',
        'http.response.status_code': 200,
      });
      const within = (inner?: SentSpan, outer?: SentSpan) =>
        Number(inner?.startTimeUnixNano) >= Number(outer?.startTimeUnixNano) &&
        Number(inner?.endTimeUnixNano) <= Number(outer?.endTimeUnixNano);
      // Of the same process, so by the same clock.
      expect([within(client, http), within(read, server), within(write, server)]).to.deep.equal([true, true, true]);
      const rpc = {
        'rpc.system.name': 'grpc',
        'rpc.method': 'auth.v1.AuthService/RefreshToken',
        'rpc.response.status_code': 'OK',
      };
      for (const span of [client, server]) expect(span && attributesOf(span)).to.deep.equal(rpc);
      expect(read && attributesOf(read)).to.deep.equal({
        'db.system.name': 'redis',
        'db.operation.name': 'EVALSHA_RO',
      });
      expect(write && attributesOf(write)).to.deep.equal({ 'db.system.name': 'redis', 'db.operation.name': 'EVALSHA' });
      await until(() => loggedTraces(browser.process, 'request', 'traced').length === 1);
      expect(loggedTraces(browser.process, 'request', 'traced')).to.deep.equal([traceId]);
      expect(loggedTraces(node.process, 'call', 'traced')).to.deep.equal([traceId]);
      expect(otlp.text).not.to.include(refreshToken);
    });

    it('count a refused token as no error, and an answer that cannot be given as one', async () => {
      const [refused, failed] = [newTraceId(), newTraceId()];
      await browser.refresh('x.y.z', { traceparent: traceparent(refused) });
      const [http, client, server] = await otlp.trace(refused, 3);
      expect([http?.status.code, client?.status.code, server?.status.code]).to.deep.equal([0, 2, 0]);
      const { refreshToken } = await node.client.issue();
      await redis.kill();
      expect((await browser.refresh(refreshToken, { traceparent: traceparent(failed) })).status).to.equal(503);
      const spans = await otlp.trace(failed, 4);
      expect(spans.map(({ status }) => status.code)).to.deep.equal([2, 2, 2, 2]);
      expect(spans.map((span) => attributesOf(span)['error.type'])).to.deep.equal([
        '503',
        'UNAVAILABLE',
        'UNAVAILABLE',
        'StoreUnavailable',
      ]);
      await redis.restart();
      const isBack = () =>
        node.client.issue().then(
          () => true,
          () => false,
        );
      await until(isBack);
    });

    it('fail no request, whatever its headers of a trace are', async () => {
      const list = (count: number): string => Array.from({ length: count }, (_, n) => `key${n}=value${n}`).join();
      const good = traceparent(newTraceId());
      const hostile: readonly Record<string, string>[] = [
        { traceparent: `00-${'a'.repeat(6_000)}` },
        { traceparent: `${good}, ${good}` },
        { traceparent: good, tracestate: list(100) },
        { traceparent: good, tracestate: `a=${'b'.repeat(6_000)}` },
        { traceparent: good, tracestate: 'a=\u00e9\u00ff' },
        { traceparent: good, baggage: list(300) },
        { baggage: `a=${'%F0%9F%98%80'.repeat(300)}` },
        { baggage: 'a=%zz,%=,;;,=,b,__proto__=x' },
      ];
      for (const [n, headers] of hostile.entries()) {
        const { refreshToken } = await node.client.issue();
        pairIn(await browser.refresh(refreshToken, { ...headers, 'x-request-id': `hostile-${n}` }));
        await until(() => loggedTraces(browser.process, 'request', `hostile-${n}`).length === 1);
        expect(
          loggedTraces(browser.process, 'request', `hostile-${n}`)[0],
          JSON.stringify(headers).slice(0, 80),
        ).to.match(/^[0-9a-f]{32}$/);
      }
    });

    it('have no path that a client has made up, no span of a probe, and none of the store for a batch', async () => {
      const [unknown, probed] = [newTraceId(), newTraceId()];
      await browser.ask('/made/up/secret', { headers: { traceparent: traceparent(probed) } });
      await browser.ask('/healthz', { headers: { traceparent: traceparent(unknown) } });
      const [span] = await otlp.trace(probed, 1);
      expect(span?.name).to.equal('GET');
      const { accessToken } = await node.client.issue();
      const before = otlp.spans.length;
      await node.client.validateMany(Array.from({ length: 20 }, () => accessToken));
      const batch = () => otlp.spans.slice(before).find(({ name }) => name.endsWith('/ValidateTokens'));
      await until(() => batch() !== undefined);
      const traceId = batch()?.traceId ?? '';
      expect((await otlp.trace(traceId, 1)).map(({ name }) => name)).to.deep.equal([
        'auth.v1.AuthService/ValidateTokens',
      ]);
      expect(otlp.text).not.to.include('secret').and.not.to.include(unknown);
    });
  });

  describe('without an SDK', () => {
    const stage = new Stage();
    let node: ServiceNode;
    let browser: Browser;
    before(async () => {
      node = await stage.serve(await stage.folder());
      browser = await stage.gateway(node);
    });
    after(() => stage.clear());

    /** The trace id that both processes have logged for a refresh with some headers. */
    async function logged(headers: Record<string, string>): Promise<string> {
      const requestId = randomBytes(8).toString('hex');
      const { refreshToken } = await node.client.issue();
      pairIn(await browser.refresh(refreshToken, { ...headers, 'x-request-id': requestId }));
      await until(() => loggedTraces(browser.process, 'request', requestId).length === 1);
      const [[traceId], inService] = [
        loggedTraces(browser.process, 'request', requestId),
        loggedTraces(node.process, 'call', requestId),
      ];
      expect(inService).to.deep.equal([traceId]);
      return String(traceId);
    }

    it('are taken from the client, and in the log of both processes', async () => {
      const traceId = newTraceId();
      expect(await logged({ traceparent: traceparent(traceId), tracestate: 'vendor=1' })).to.equal(traceId);
    });

    it('are made where there is none, or an invalid one', async () => {
      const invalid = [{}, { traceparent: traceparent('0'.repeat(32)) }, { traceparent: 'x'.repeat(500) }];
      const found = await Promise.all(invalid.map(logged));
      for (const traceId of found) expect(traceId).to.match(/^[0-9a-f]{32}$/);
      expect(new Set(found).size).to.equal(invalid.length);
      expect(found).not.to.include('0'.repeat(32));
    });
  });
});
