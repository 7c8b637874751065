// Owns the proof of what holds for every request: methods, paths, media types, ids, CORS, probes, the log.

import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { failure, PAIR } from '../support/scripted-auth-service.js';
import { LOGOUT, ORIGIN, REFRESH, RunningGateway } from './running-gateway.js';

const ROUTE = '/api/auth/token/refresh';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('gateway: every request', () => {
  let gateway: RunningGateway;
  before(async () => {
    gateway = await RunningGateway.start();
  });
  after(() => gateway.stop());
  beforeEach(() => gateway.service.reset());

  describe('methods and paths', () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
      it(`answers 405 for ${method}, before it looks at the body`, async () => {
        const body = method === 'GET' ? {} : { body: 'x'.repeat(20_000) };
        for (const path of [REFRESH, LOGOUT, '/api/auth/logout', `${LOGOUT}?a=/b/`]) {
          const { status: code, headers, text } = await gateway.ask(path, { method, ...body });
          expect([code, text]).to.deep.equal([405, `{"detail":"Method \\"${method}\\" not allowed."}`]);
          expect(headers.get('allow')).to.equal('POST, OPTIONS');
          expect(headers.get('cache-control')).to.equal('no-store');
        }
      });
    }

    it('answers 405 for HEAD, without a body', async () => {
      const { status: code, headers, text } = await gateway.ask(REFRESH, { method: 'HEAD' });
      expect([code, text, headers.get('allow')]).to.deep.equal([405, '', 'POST, OPTIONS']);
    });

    it('answers OPTIONS with the methods', async () => {
      const { status: code, headers } = await gateway.ask(LOGOUT, { method: 'OPTIONS' });
      expect([code, headers.get('allow')]).to.deep.equal([204, 'POST, OPTIONS']);
      expect((await gateway.ask('/nowhere', { method: 'OPTIONS' })).status).to.equal(404);
    });

    for (const path of ['/', '/api/auth/token/', '/api/auth/logout//', '/API/AUTH/LOGOUT/', '/%zz', '/healthz/more']) {
      it(`answers 404 for ${path}`, async () => {
        const { status: code, headers, text } = await gateway.post(path, { refresh: 'r' });
        expect([code, text]).to.deep.equal([404, '{"detail":"Not found."}']);
        expect(headers.get('cache-control')).to.equal('no-store');
        expect(headers.get('content-type')).to.equal('application/json');
      });
    }

    it('answers 415 for another media type, and repeats it', async () => {
      for (const type of ['text/plain', 'text/plain; charset=utf-8', 'application/problem+json', 'nonsense']) {
        const { status: code, text } = await gateway.post(REFRESH, '{"refresh":"r"}', { 'content-type': type });
        expect([code, text]).to.deep.equal([415, `{"detail":"Unsupported media type \\"${type}\\" in request."}`]);
      }
    });

    it('answers 415 for a body without a media type', async () => {
      const answer = await gateway.raw(
        `POST ${REFRESH} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
      );
      expect(answer).to.match(/^HTTP\/1\.1 415 /);
      expect(answer).to.contain('{"detail":"Unsupported media type \\"\\" in request."}');
    });

    it('takes the media type in any case, with parameters', async () => {
      const type = { 'content-type': 'Application/JSON; Charset=UTF-8' };
      expect((await gateway.post(REFRESH, { refresh: 'r' }, type)).status).to.equal(200);
    });

    it('tells nothing of its software', async () => {
      const { headers } = await gateway.post(REFRESH, { refresh: 'r' });
      expect(headers.has('x-powered-by')).to.equal(false);
      expect(headers.has('server')).to.equal(false);
      expect(headers.get('x-content-type-options')).to.equal('nosniff');
    });
  });

  describe('CORS', () => {
    it('lets a listed origin read every answer', async () => {
      const answers = [
        await gateway.post(REFRESH, { refresh: 'r' }, { origin: ORIGIN }),
        await gateway.post(REFRESH, {}, { origin: ORIGIN }),
        await gateway.post('/nowhere', {}, { origin: ORIGIN }),
        await gateway.post(REFRESH, 'x', { origin: ORIGIN, 'content-type': 'text/plain' }),
        await gateway.post(REFRESH, 'x'.repeat(20_000), { origin: ORIGIN }),
        await gateway.ask(REFRESH, { headers: { origin: ORIGIN } }),
      ];
      expect(answers.map((answer) => answer.status)).to.deep.equal([200, 400, 404, 415, 413, 405]);
      for (const { headers } of answers) {
        expect(headers.get('access-control-allow-origin')).to.equal(ORIGIN);
        expect(headers.get('access-control-expose-headers')).to.equal(
          'Retry-After, X-Request-Id, WWW-Authenticate, RateLimit, RateLimit-Policy',
        );
        expect(headers.has('access-control-allow-credentials')).to.equal(false);
        expect(headers.get('vary')).to.equal('Origin');
      }
    });

    it('gives any other origin no CORS header, but tells caches that it matters', async () => {
      for (const origin of ['https://evil.example', 'null', `${ORIGIN}.evil.example`, ORIGIN.toUpperCase()]) {
        for (const method of ['POST', 'OPTIONS']) {
          const { headers } = await gateway.ask(REFRESH, { method, headers: { origin } });
          expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).to.be.empty;
          expect(headers.get('vary')).to.equal('Origin');
        }
      }
    });

    it('answers the preflight of a listed origin', async () => {
      const { status: code, headers } = await gateway.ask(REFRESH, {
        method: 'OPTIONS',
        headers: { origin: ORIGIN, 'access-control-request-method': 'POST' },
      });
      expect(code).to.equal(204);
      expect(headers.get('access-control-allow-origin')).to.equal(ORIGIN);
      expect(headers.get('access-control-allow-methods')).to.equal('POST');
      expect(headers.get('access-control-allow-headers')).to.equal('content-type, authorization, x-request-id');
      expect(headers.get('cache-control')).to.equal('no-store');
    });

    it('is off without origins', async () => {
      const closed = await RunningGateway.start({ variables: { CORS_ORIGINS: '' } });
      try {
        const { headers } = await closed.post(REFRESH, { refresh: 'r' }, { origin: ORIGIN });
        expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).to.be.empty;
      } finally {
        await closed.stop();
      }
    });
  });

  describe('request ids', () => {
    it("passes a client's id on, answers it and logs it", async () => {
      const id = 'Client.id_1-2';
      const before = gateway.log.length;
      const { headers } = await gateway.post(REFRESH, { refresh: 'r' }, { 'x-request-id': id });
      expect(headers.get('x-request-id')).to.equal(id);
      expect(gateway.service.lastCall?.requestId).to.equal(id);
      expect((await gateway.logged(before, ROUTE)).map((line) => line['requestId'])).to.deep.equal([id]);
    });

    it('makes one for each request without, or with one of another form', async () => {
      for (const given of [{}, { 'x-request-id': 'a b' }, { 'x-request-id': 'a'.repeat(65) }, { 'x-request-id': '' }]) {
        const { headers } = await gateway.post(REFRESH, { refresh: 'r' }, given);
        expect(headers.get('x-request-id')).to.match(UUID);
        expect(gateway.service.lastCall?.requestId).to.equal(headers.get('x-request-id'));
      }
    });
  });

  describe('probes', () => {
    it('is alive whatever the service says', async () => {
      gateway.service.serving = false;
      const { status: code, text, headers } = await gateway.ask('/healthz');
      expect([code, text]).to.deep.equal([200, '{"status":"ok"}']);
      expect(headers.get('cache-control')).to.equal('no-store');
      expect((await gateway.ask('/healthz/', { method: 'HEAD' })).status).to.equal(200);
    });

    it('is ready if the service says that it serves', async () => {
      const ready = await gateway.ask('/readyz');
      expect([ready.status, ready.text]).to.deep.equal([200, '{"status":"ok"}']);
      gateway.service.serving = false;
      const unready = await gateway.ask('/readyz');
      expect([unready.status, unready.headers.get('retry-after')]).to.deep.equal([503, '1']);
    });

    it('answers 405 for other methods', async () => {
      const { status: code, headers } = await gateway.post('/healthz', {});
      expect([code, headers.get('allow')]).to.deep.equal([405, 'GET, HEAD, OPTIONS']);
    });
  });

  describe('the log', () => {
    it('has one line a request, with what an operator needs', async () => {
      const before = gateway.log.length;
      await gateway.post(`${REFRESH}?refresh=in-the-query`, { refresh: 'r' });
      const lines = await gateway.logged(before, ROUTE);
      expect(lines).to.have.length(1);
      expect(lines[0]).to.include({
        level: 'info',
        method: 'POST',
        route: ROUTE,
        status: 200,
        grpcCode: 'OK',
        msg: 'request',
      });
      expect(lines[0]?.['durationMs']).to.be.within(0.1, 1000);
    });

    it('tells why the service did not answer', async () => {
      gateway.service.script = () => {
        throw failure(status.UNAVAILABLE, [], 'the store is away');
      };
      const before = gateway.log.length;
      await gateway.post(REFRESH, { refresh: 'r' });
      expect((await gateway.logged(before, ROUTE))[0]).to.include({
        level: 'warn',
        status: 503,
        grpcCode: 'UNAVAILABLE',
        grpcDetails: 'the store is away',
      });
    });

    it('has probes and aborted requests too', async () => {
      const before = gateway.log.length;
      await gateway.ask('/healthz');
      gateway.service.script = () => delay(50);
      const aborted = httpRequest(`${gateway.url}${LOGOUT}`, {
        method: 'POST',
        headers: { authorization: 'Bearer a' },
      });
      aborted.on('error', () => {}).end();
      while (gateway.service.calls.length === 0) await delay(5);
      aborted.destroy();
      const lines = await gateway.logged(before, '/api/auth/logout');
      expect(lines[0]).to.include({ level: 'debug', route: '/healthz' });
      expect(lines[1]).to.include({ aborted: true });
    });

    it('never has a token in it, wherever the client puts one', async () => {
      const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYWxsb3J5In0.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZy1lbm91Z2gtMDEyMzQ1Njc4';
      const put = [
        () => gateway.post(REFRESH, { refresh: token }),
        () => gateway.post(REFRESH, `{"refresh":"${token}`),
        () => gateway.post(LOGOUT, { refresh: token }, { authorization: `Bearer ${token}`, cookie: `c=${token}` }),
        () => gateway.post(`/nowhere/${token}?refresh=${token}`, { refresh: token }),
        () => gateway.post(`/%zz${token}`, { refresh: token }),
        () => gateway.post(REFRESH, token, { 'content-type': `text/${token}` }),
        () => gateway.post(REFRESH, { refresh: token }, { 'x-request-id': token.slice(0, 64) }),
        () => gateway.raw(`GARBAGE ${token}\r\n\r\n`),
        () => gateway.raw(`GET / HTTP/1.1\r\nHost: h\r\n${token} : ${token}\r\n\r\n`),
      ];
      const before = gateway.log.length;
      for (const error of [
        undefined,
        failure(status.INTERNAL, [], `it broke at ${token}`),
        failure(status.UNAVAILABLE, [], token),
      ]) {
        gateway.service.script = () => {
          if (error) throw error;
        };
        for (const send of put) await send();
      }
      const log = gateway.log.slice(before).join('');
      expect(log).to.contain('it broke at [redacted]');
      expect(log).to.contain('client error');
      const secrets = [...token.split('.'), token.slice(0, 40), PAIR.access, PAIR.refresh];
      for (const secret of secrets) expect(log).not.to.contain(secret);
    });
  });
});
