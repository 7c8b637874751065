// Tests of the check route: real gateway, real gRPC server, and each answer that a proxy can get.

import { connect } from 'node:net';
import { expect } from 'chai';
import { createGateway, type Gateway } from '../../gateway/server.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { parseAddress } from '../../src/platform/env/values.js';
import type { Address, Variables } from '../../src/platform/env.js';
import { createLogger } from '../../src/platform/log.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { elapse } from '../support/waiting.js';
import { POLICY } from '../support/world.js';
import { ORIGIN, settingsFor } from './running-gateway.js';

const CHECK = '/api/auth/check';

describe('gateway: the check route', () => {
  let scene: GrpcScene;
  let gateway: Gateway;
  let address: Address;
  let pair: TokenPair;
  let log: string[];

  const start = async (variables: Variables = {}, options: Parameters<typeof GrpcScene.start>[0] = {}) => {
    scene = await GrpcScene.start(options);
    log = [];
    const destination = { write: (line: string) => void log.push(line) };
    const service = parseAddress(scene.address);
    if (!service) throw new Error('no address');
    const settings = settingsFor(service, { CORS_ORIGINS: ORIGIN, ...variables });
    gateway = createGateway(settings, createLogger({ level: 'trace', name: 'gateway', destination }));
    address = await gateway.listen();
    pair = await scene.client.issue('alice');
  };
  const ask = (target: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://${address.host}:${address.port}${target}`, init);
  const bearer = (token = pair.accessToken) => ({ headers: { authorization: `Bearer ${token}` } });
  const challengeOf = (response: Response) => response.headers.get('www-authenticate');

  /** Sends bytes as they are. @returns the status line and headers */
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(address.port, address.host, () => socket.write(text));
      let found = '';
      socket.setEncoding('latin1').on('data', (part) => {
        found += part;
        if (found.includes('\r\n\r\n')) socket.destroy();
      });
      socket.on('close', () => resolve(found)).on('error', reject);
    });

  afterEach(async () => {
    await gateway.close();
    await scene.stop();
  });

  it('answers 200 with the identity and an empty body for an active token', async () => {
    await start();
    const response = await ask(CHECK, bearer());
    expect(response.status).to.equal(200);
    expect(await response.text()).to.equal('');
    expect(response.headers.get('x-latchkey-subject')).to.equal('alice');
    expect(response.headers.get('x-latchkey-session')).to.equal(pair.sessionId);
    expect(response.headers.get('x-latchkey-expires')).to.equal(String(pair.accessExpiresAt));
    expect(response.headers.get('cache-control')).to.equal('no-store');
  });

  it('is the same for every method, for every path below it, and whatever the body', async () => {
    await start();
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const response = await ask(CHECK, { method, ...bearer() });
      expect(response.status, method).to.equal(200);
      await response.text();
    }
    for (const path of ['/', '/orders/1', '/a?aud=other', '/%ff', '/api/auth/logout/', '//x']) {
      expect((await ask(CHECK + path, bearer())).status, path).to.equal(200);
    }
    const large = await ask(CHECK, { method: 'POST', body: 'x'.repeat(1_000_000), ...bearer() });
    expect(large.status).to.equal(200);
    const dots = `GET ${CHECK}/%2e%2e/../x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${pair.accessToken}\r\n\r\n`;
    expect(await raw(dots)).to.match(/^HTTP\/1\.1 200 /);
    const propfind = `PROPFIND ${CHECK}/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${pair.accessToken}\r\n\r\n`;
    expect(await raw(propfind)).to.match(/^HTTP\/1\.1 200 /);
  });

  it('answers a preflight of a browser as any request: it has no token', async () => {
    await start();
    const headers = { origin: ORIGIN, 'access-control-request-method': 'GET' };
    const response = await ask(CHECK, { method: 'OPTIONS', headers });
    expect(response.status).to.equal(401);
    expect(response.headers.get('access-control-allow-origin')).to.equal(null);
  });

  it('answers 401 without an error where there is no token', async () => {
    await start();
    for (const init of [{}, { headers: { authorization: 'Basic eA==' } }]) {
      const response = await ask(CHECK, init);
      expect(response.status).to.equal(401);
      expect(challengeOf(response)).to.equal('Bearer realm="api"');
    }
  });

  it('answers 401 invalid_request where there are two', async () => {
    await start();
    const line = `Authorization: Bearer ${pair.accessToken}\r\n`;
    const answers = [
      await raw(`GET ${CHECK} HTTP/1.1\r\nHost: x\r\n${line}${line}\r\n`),
      await raw(`GET ${CHECK} HTTP/1.1\r\nHost: x\r\n${line}authorization: Basic eA==\r\n\r\n`),
    ];
    for (const answer of answers) {
      expect(answer).to.match(/^HTTP\/1\.1 401 /);
      expect(answer).to.include('error="invalid_request"');
    }
    const joined = await ask(CHECK, { headers: { authorization: `Bearer ${pair.accessToken},Bearer x` } });
    expect(challengeOf(joined)).to.include('error="invalid_request"');
  });

  it('answers 401 with the problem for a token that is not active', async () => {
    await start();
    await scene.client.logout({ accessToken: pair.accessToken });
    const revoked = await ask(CHECK, bearer());
    expect(revoked.status).to.equal(401);
    expect(challengeOf(revoked)).to.equal('Bearer realm="api", error="invalid_token", error_description="REVOKED"');
    expect(await revoked.json()).to.deep.equal({ detail: 'Token is blacklisted', code: 'token_not_valid' });
    expect(challengeOf(await ask(CHECK, bearer('nonsense')))).to.include('error_description="MALFORMED"');
    expect(challengeOf(await ask(CHECK, bearer(pair.refreshToken)))).to.include('error_description="WRONG_TYPE"');
  });

  it('answers 503 with a time to retry while the store cannot answer, and never 200 or 401', async () => {
    await start();
    scene.flowing = false;
    const call = ask(CHECK, bearer());
    await scene.held();
    scene.flowing = true;
    scene.world.setReachable(false);
    const response = await call;
    expect(response.status).to.equal(503);
    expect(Number(response.headers.get('retry-after'))).to.be.at.least(1);
    expect(challengeOf(response)).to.equal(null);
  });

  it('requires every audience that is asked for, so that a client can only ask for more', async () => {
    await start({}, { policy: { ...POLICY, audience: ['orders', 'mail'] } });
    expect((await ask(`${CHECK}?aud=orders`, bearer())).status).to.equal(200);
    expect((await ask(`${CHECK}/?aud=orders&aud=mail`, bearer())).status).to.equal(200);
    const other = await ask(`${CHECK}?aud=payments&aud=orders`, bearer());
    expect(other.status).to.equal(401);
    expect(challengeOf(other)).to.include('WRONG_AUDIENCE');
  });

  it('asks the service each time, unless staleness is allowed', async () => {
    await start();
    expect((await ask(CHECK, bearer())).status).to.equal(200);
    await scene.client.logout({ accessToken: pair.accessToken });
    expect((await ask(CHECK, bearer())).status).to.equal(401);
  });

  it('answers from what it remembers for as long as that is allowed', async () => {
    await start({ CHECK_MAX_STALENESS: '1h' });
    expect((await ask(CHECK, bearer())).status).to.equal(200);
    await scene.client.logout({ accessToken: pair.accessToken });
    expect((await ask(CHECK, bearer())).status).to.equal(200);
  });

  it('does not answer from what is older than that', async () => {
    await start({ CHECK_MAX_STALENESS: '20ms' });
    expect((await ask(CHECK, bearer())).status).to.equal(200);
    await scene.client.logout({ accessToken: pair.accessToken });
    await elapse(25, 'the answer becomes older than allowed');
    expect((await ask(CHECK, bearer())).status).to.equal(401);
  });

  it('is not rate limited, and its token is in no line of the log', async () => {
    await start({ RATE_LIMIT: '1/1m' });
    for (let count = 0; count < 5; count++) expect((await ask(CHECK, bearer())).status).to.equal(200);
    expect(log.join('')).to.include(CHECK).and.not.include(pair.accessToken.slice(-43));
  });
});
