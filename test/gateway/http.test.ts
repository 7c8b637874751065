// Tests of what holds for every request: methods, paths, media types, ids, probes, the log.

import { request as httpRequest } from 'node:http';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { failure, PAIR } from '../support/scripted-auth-service.js';
import { elapse, until } from '../support/waiting.js';
import { LOGOUT, REFRESH, RunningGateway } from './running-gateway.js';

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

    it('serves the paths of the settings, with and without the trailing slash, and no longer its own', async () => {
      const paths = ['/api/token/refresh', '/auth/jwt/refresh/', '/api/token/blacklist/'];
      const [simplejwt = '', djoser = '', blacklist = ''] = paths;
      const variables = { REFRESH_PATHS: `${simplejwt},${djoser}`, LOGOUT_PATHS: blacklist };
      const other = await RunningGateway.start({ variables });
      try {
        for (const path of paths.flatMap((each) => [each.replace(/\/$/, ''), `${each.replace(/\/$/, '')}/`])) {
          const before = other.log.length;
          const answer = await other.post(path, { refresh: 'r' });
          const body = path.startsWith(blacklist.slice(0, -1)) ? {} : PAIR;
          expect([answer.status, JSON.parse(answer.text)], path).to.deep.equal([200, body]);
          expect(await other.logged(before, path.replace(/\/$/, ''))).to.have.length(1);
          const got = await other.ask(path);
          expect([got.status, got.headers.get('allow')]).to.deep.equal([405, 'POST, OPTIONS']);
        }
        for (const path of [REFRESH, LOGOUT]) expect((await other.post(path, { refresh: 'r' })).status).to.equal(404);
      } finally {
        await other.stop();
      }
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

    it('names no software', async () => {
      const { headers } = await gateway.post(REFRESH, { refresh: 'r' });
      expect(headers.has('x-powered-by')).to.equal(false);
      expect(headers.has('server')).to.equal(false);
      expect(headers.get('x-content-type-options')).to.equal('nosniff');
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

    it('keeps no connection alive for a probe, whatever it answers', async () => {
      for (const [request, code] of [
        ['GET /healthz', 200],
        ['HEAD /healthz/', 200],
        ['GET /readyz?a', 503],
        ['GET /%72eadyz', 503],
        ['DELETE /readyz', 405],
        ['OPTIONS /healthz', 204],
      ] as const) {
        gateway.service.serving = false;
        const answer = await gateway.raw(`${request} HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n`);
        expect(answer, request).to.match(new RegExp(`^HTTP/1\\.1 ${code} `));
        expect(answer, request).to.match(/\r\nconnection: close\r\n/i);
      }
    });

    it('keeps a connection alive for everything else', async () => {
      const answer = await gateway.post(REFRESH, { refresh: 'r' });
      expect(answer.headers.get('connection')).to.equal('keep-alive');
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

    it('logs why the service did not answer', async () => {
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
      gateway.service.script = () => elapse(50, 'a slow call');
      const aborted = httpRequest(`${gateway.url}${LOGOUT}`, {
        method: 'POST',
        headers: { authorization: 'Bearer a' },
      });
      aborted.on('error', () => {}).end();
      await until(() => gateway.service.calls.length > 0);
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
