// Tests of cross-origin requests: what the Fetch standard asks of each answer, so that a page may send and read it.

import { expect } from 'chai';
import { LOGOUT, ORIGIN, REFRESH, RunningGateway } from './running-gateway.js';

const KEY_SET = '/.well-known/jwks.json';
const OTHERS = ['https://evil.example', 'null', `${ORIGIN}.evil.example`, ORIGIN.toUpperCase()];
/** Headers that are never to be forgotten: each made a preflight fail. */
const SENT =
  'accept,authorization,baggage,content-type,sentry-trace,traceparent,tracestate,x-csrftoken,x-requested-with';
const DATADOG = 'x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id';

const corsOf = (headers: Headers): string[] => [...headers.keys()].filter((name) => name.startsWith('access-control'));

/** A list in a header, in lower case. */
const listIn = (headers: Headers, name: string): string[] =>
  (headers.get(name) ?? '').split(',').map((item) => item.trim().toLowerCase());

describe('gateway: cross-origin requests', () => {
  let gateway: RunningGateway;
  const start = async (variables: Record<string, string> = {}): Promise<void> => {
    gateway = await RunningGateway.start({ variables });
    gateway.service.keySet = { keys: [], maxAgeSeconds: 60 };
  };
  afterEach(() => gateway.stop());

  const preflight = (path: string, origin: string, { method = 'POST', headers = '' } = {}) =>
    gateway.ask(path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        ...(headers === '' ? {} : { 'access-control-request-headers': headers }),
      },
    });

  /**
   * The check of https://fetch.spec.whatwg.org/#cors-preflight-fetch and of its "CORS check", as a browser makes it.
   * @returns why the browser would not send the request; undefined: it would
   */
  const refusal = async (
    path: string,
    origin: string,
    { method = 'POST', headers = '', credentials = false } = {},
  ): Promise<string | undefined> => {
    const { status, headers: answered } = await preflight(path, origin, { method, headers });
    if (status < 200 || status > 299) return `status ${status}`;
    const allowed = answered.get('access-control-allow-origin');
    if (allowed !== origin && (credentials || allowed !== '*')) return `origin ${allowed}`;
    if (credentials && answered.get('access-control-allow-credentials') !== 'true') return 'credentials';
    const wildcard = (list: string[]) => !credentials && list.includes('*');
    const methods = listIn(answered, 'access-control-allow-methods');
    const safelisted = ['GET', 'HEAD', 'POST'].includes(method);
    if (!safelisted && !methods.includes(method.toLowerCase()) && !wildcard(methods)) return `method ${method}`;
    const names = listIn(answered, 'access-control-allow-headers');
    return headers
      .split(',')
      .find((name) => name !== '' && !names.includes(name) && (name === 'authorization' || !wildcard(names)));
  };

  it('lets a page of a listed origin read every answer', async () => {
    await start();
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

  it('gives any other origin no CORS header, but a Vary for caches', async () => {
    await start({ CORS_CREDENTIALS: 'true' });
    for (const origin of OTHERS) {
      for (const answer of [
        await gateway.post(REFRESH, { refresh: 'r' }, { origin }),
        await gateway.ask(REFRESH, { method: 'OPTIONS', headers: { origin } }),
        await preflight(LOGOUT, origin),
      ]) {
        expect(corsOf(answer.headers)).to.deep.equal([]);
        expect(answer.headers.get('vary')).to.equal('Origin');
      }
    }
  });

  it('allows the headers that pages, their libraries and their tracing send', async () => {
    await start();
    const { status, headers } = await preflight(REFRESH, ORIGIN, { headers: `${SENT},${DATADOG}` });
    expect([status, headers.get('allow')]).to.deep.equal([204, 'POST, OPTIONS']);
    expect(headers.get('access-control-allow-methods')).to.equal('POST');
    expect(headers.get('access-control-max-age')).to.equal('600');
    expect(headers.get('cache-control')).to.equal('no-store');
    expect(headers.get('vary')).to.equal('Origin');
    for (const list of [SENT, DATADOG, 'x-request-id', 'cache-control,pragma', 'b3,x-b3-traceid', 'x-amzn-trace-id']) {
      expect(await refusal(REFRESH, ORIGIN, { headers: list }), list).to.equal(undefined);
    }
  });

  it('allows no header that it does not know, but those of the setting', async () => {
    await start({ CORS_HEADERS: 'X-App-Version,X-Tenant,traceparent' });
    expect(await refusal(REFRESH, ORIGIN, { headers: 'x-app-version,x-csrftoken,x-tenant' })).to.equal(undefined);
    expect(await refusal(REFRESH, ORIGIN, { headers: 'x-other,x-tenant' })).to.equal('x-other');
    const { headers } = await preflight(REFRESH, ORIGIN);
    const names = listIn(headers, 'access-control-allow-headers');
    expect(names).to.have.length(new Set(names).size);
  });

  it('allows credentials where the setting says so, to listed origins', async () => {
    await start();
    expect(await refusal(REFRESH, ORIGIN, { credentials: true })).to.equal('credentials');
    await gateway.stop();
    await start({ CORS_CREDENTIALS: 'true' });
    expect(await refusal(REFRESH, ORIGIN, { headers: SENT, credentials: true })).to.equal(undefined);
    expect(await refusal(REFRESH, 'https://evil.example', { credentials: true })).to.equal('origin null');
    const { headers } = await gateway.post(REFRESH, { refresh: 'r' }, { origin: ORIGIN });
    expect(headers.get('access-control-allow-credentials')).to.equal('true');
    expect(headers.get('access-control-allow-origin')).to.equal(ORIGIN);
  });

  for (const origins of ['', ORIGIN]) {
    it(`lets every page read the key set, with CORS_ORIGINS=${origins}`, async () => {
      await start({ CORS_ORIGINS: origins, CORS_CREDENTIALS: 'true' });
      for (const origin of [ORIGIN, ...OTHERS]) {
        const answer = await gateway.ask(KEY_SET, { headers: { origin } });
        const etag = answer.headers.get('etag') ?? '';
        const again = await gateway.ask(`${KEY_SET}/`, { headers: { origin, 'if-none-match': etag } });
        expect([answer.status, again.status]).to.deep.equal([200, 304]);
        for (const { headers } of [answer, again]) {
          expect(headers.get('access-control-allow-origin')).to.equal('*');
          expect(headers.has('access-control-allow-credentials')).to.equal(false);
          expect(listIn(headers, 'access-control-expose-headers')).to.include.members(['etag', 'x-request-id']);
          // The answer is the same for every origin: a cache may keep one copy.
          expect(headers.has('vary')).to.equal(false);
        }
        const headers = `authorization,if-none-match,x-unknown-to-us,${SENT}`;
        expect(await refusal(KEY_SET, origin, { method: 'GET', headers }), origin).to.equal(undefined);
        expect(await refusal(KEY_SET, origin, { method: 'HEAD' }), origin).to.equal(undefined);
      }
      const plain = await gateway.ask(KEY_SET, { method: 'OPTIONS' });
      expect([plain.status, plain.headers.get('allow')]).to.deep.equal([204, 'GET, HEAD, OPTIONS']);
    });
  }

  it('lets every page read why the key set cannot be had', async () => {
    await start({ CORS_ORIGINS: '', RATE_LIMIT: '1/10s' });
    await gateway.ask(KEY_SET);
    const { status, headers } = await gateway.ask(KEY_SET, { headers: { origin: ORIGIN } });
    expect([status, headers.get('access-control-allow-origin')]).to.deep.equal([429, '*']);
  });

  it('is off for all else without origins', async () => {
    await start({ CORS_ORIGINS: '', CORS_CREDENTIALS: 'true', CORS_HEADERS: 'x-a' });
    for (const answer of [
      await gateway.post(REFRESH, { refresh: 'r' }, { origin: ORIGIN }),
      await preflight(REFRESH, ORIGIN),
      await gateway.ask('/readyz', { headers: { origin: ORIGIN } }),
    ]) {
      expect(corsOf(answer.headers)).to.deep.equal([]);
      expect(answer.headers.has('vary')).to.equal(false);
    }
    expect((await preflight('/nowhere', ORIGIN)).status).to.equal(404);
  });
});
