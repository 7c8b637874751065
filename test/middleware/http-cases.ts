// The requests that every HTTP middleware must answer alike, over real sockets.

import { request } from 'node:http';
import { expect } from 'chai';
import { until } from '../support/waiting.js';
import { Guarded, MAX_STALENESS_MS } from './guarded.js';

/** An application with the routes that the cases use. */
export interface App {
  readonly port: number;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** @param authorization the values of the Authorization lines, one line each */
export function get(port: number, path: string, ...authorization: string[]): Promise<Answer> {
  return send({ port, path, method: 'GET' }, authorization);
}

export function send(
  { port, path, method, body = '' }: { port: number; path: string; method: string; body?: string },
  authorization: readonly string[],
): Promise<Answer> {
  const lines = authorization.flatMap((line) => ['Authorization', line]);
  const type = body === '' ? [] : ['Content-Type', 'application/json', 'Content-Length', `${Buffer.byteLength(body)}`];
  return new Promise((resolve, reject) => {
    const headers = ['Host', `127.0.0.1:${port}`, 'Connection', 'close', ...lines, ...type];
    // Node's types have no list of lines, which alone sends a header twice.
    const asked = request({ host: '127.0.0.1', port, path, method, headers: headers as never }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const bearer = (token: string): string => `Bearer ${token}`;

/** A refusal as the gateway words it. */
function expectRefusal(answer: Answer, challenge: string, code: string, detail: string): void {
  expect(answer.status).to.equal(401);
  expect(answer.headers).to.include({
    'www-authenticate': challenge === '' ? 'Bearer realm="api"' : `Bearer realm="api", ${challenge}`,
    'cache-control': 'no-store',
    'content-type': 'application/json',
  });
  expect(answer.body).to.equal(JSON.stringify({ detail, code }));
}

/**
 * The routes: `/orders` returns the subject, `/pay` does with strict consistency, `/admin` requires the claim `role`,
 * `/health` is not guarded.
 */
export function answersAsTheGateway(startApp: (guarded: Guarded) => Promise<App>): void {
  let guarded: Guarded;
  let app: App;
  before(async () => {
    guarded = await Guarded.start();
    await guarded.validator.ready();
    app = await startApp(guarded);
  });
  after(async () => {
    await app?.close();
    await guarded?.stop();
  });
  afterEach(() => guarded.resume());

  it('lets an active token through, with its identity', async () => {
    const token = await guarded.token('anna', { role: 'editor' });
    for (const path of ['/orders', '/pay', '/admin']) {
      const { status, body } = await get(app.port, path, bearer(token));
      expect([status, body], path).to.deep.equal([200, JSON.stringify({ subject: 'anna', role: 'editor' })]);
    }
  });

  it('refuses a request without bearer credentials, without a reason (RFC 6750, section 3.1)', async () => {
    const [code, detail] = ['not_authenticated', 'Authentication credentials were not provided.'];
    expectRefusal(await get(app.port, '/orders'), '', code, detail);
    expectRefusal(await get(app.port, '/orders', 'Basic YTpi'), '', code, detail);
  });

  it('refuses two Authorization lines, a comma, and what is no token, though a part of them is active', async () => {
    const good = bearer(await guarded.token());
    const detail = 'The request must have one Authorization header with one bearer token.';
    for (const lines of [[good, good], [good, 'Basic YTpi'], [`${good}, ${good}`], [`${good} x`], ['Bearer']]) {
      expectRefusal(await get(app.port, '/orders', ...lines), 'error="invalid_request"', 'invalid_request', detail);
    }
  });

  it('names the problem of a token that is not active', async () => {
    const token = await guarded.token();
    const forged = `${token.slice(0, -4)}AAAA`;
    const challenge = (problem: string) => `error="invalid_token", error_description="${problem}"`;
    const invalid = ['token_not_valid', 'Token is invalid'] as const;
    expectRefusal(await get(app.port, '/orders', bearer(forged)), challenge('BAD_SIGNATURE'), ...invalid);
    expectRefusal(await get(app.port, '/orders', 'Bearer nonsense'), challenge('MALFORMED'), ...invalid);
    const { refreshToken } = await guarded.client.issue();
    const wrong = await get(app.port, '/orders', bearer(refreshToken));
    expect(wrong.status).to.equal(401);
    expect(wrong.headers['www-authenticate']).to.match(/error_description="(?:WRONG_TYPE|UNKNOWN_KEY)"$/);
  });

  it('knows of a logout at once where it is strict, and within maxStaleness elsewhere', async () => {
    const token = await guarded.token();
    expect((await get(app.port, '/orders', bearer(token))).status).to.equal(200);
    await guarded.client.logout({ accessToken: token });
    const loggedOutMs = performance.now();
    const revoked = ['error="invalid_token", error_description="REVOKED"', 'token_not_valid'] as const;
    expectRefusal(await get(app.port, '/pay', bearer(token)), ...revoked, 'Token is blacklisted');
    // A request that begins later than that must be refused.
    await until(() => performance.now() > loggedOutMs + MAX_STALENESS_MS);
    expectRefusal(await get(app.port, '/orders', bearer(token)), ...revoked, 'Token is blacklisted');
  });

  it('refuses a token without a required claim', async () => {
    const token = await guarded.token();
    const challenge = 'error="invalid_token", error_description="MISSING_CLAIM"';
    const answer = await get(app.port, '/admin', bearer(token));
    expectRefusal(answer, challenge, 'token_not_valid', 'Token has no claim "role"');
    expect((await get(app.port, '/orders', bearer(token))).status).to.equal(200);
  });

  it('leaves open what is not guarded', async () => {
    expect((await get(app.port, '/health')).status).to.equal(200);
    expect((await get(app.port, '/health', 'Bearer nonsense')).status).to.equal(200);
  });

  it('answers 503 while the service does not answer, and recovers', async () => {
    const token = await guarded.token();
    expect((await get(app.port, '/orders', bearer(token))).status).to.equal(200);
    guarded.pause();
    for (const path of ['/pay', '/orders']) {
      const { status, headers, body } = await get(app.port, path, bearer(token));
      expect(status, path).to.equal(503);
      expect(Number(headers['retry-after'])).to.be.within(1, 60);
      expect(headers).to.include({ 'cache-control': 'no-store', 'content-type': 'application/json' });
      expect(headers['www-authenticate']).to.equal(undefined);
      expect(JSON.parse(body)).to.deep.equal({
        detail: 'Service temporarily unavailable, try again later.',
        code: 'service_unavailable',
      });
    }
    expect((await get(app.port, '/orders', 'Bearer nonsense')).status, 'what can be decided without a call').to.equal(
      401,
    );
    guarded.resume();
    await until(async () => (await get(app.port, '/orders', bearer(token))).status === 200);
  });
}
