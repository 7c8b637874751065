// Tests of latchkey/validator/fastify on a real fastify, a real service and real sockets.

import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type FastifyInstance, fastify } from 'fastify';
import { authOf, bearerAuth, bearerHook } from '../../src/middleware/fastify.js';
import type { Validator } from '../../src/validator/api.js';
import { createValidator } from '../../src/validator/create-validator.js';
import { type App, answersAsTheGateway, get, send } from './http-cases.js';

async function listening(app: FastifyInstance): Promise<App> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { port, close: () => app.close() };
}

const identity = (request: Parameters<typeof authOf>[0]) => {
  const { subject, claims } = authOf(request);
  return { subject, role: claims['role'] };
};

async function shop(validator: Validator): Promise<FastifyInstance> {
  const app = fastify();
  await app.register(bearerAuth, { validator });
  app.get('/orders', async (request) => identity(request));
  app.get('/pay', { config: { auth: { consistency: 'strict' } } }, async (request) => identity(request));
  app.get('/admin', { config: { auth: { requiredClaims: ['role'] } } }, async ({ auth }) => identity({ auth }));
  app.get('/health', { config: { auth: false } }, async () => ({ ok: true }));
  return app;
}

describe('the plugin for fastify', () => {
  answersAsTheGateway(async ({ validator }) => listening(await shop(validator)));
});

describe('the hook for fastify', () => {
  answersAsTheGateway(async ({ validator }) => {
    const app = fastify();
    app.get('/orders', { onRequest: bearerHook(validator) }, async (request) => identity(request));
    const strict = bearerHook(validator, { consistency: 'strict' });
    app.get('/pay', { preHandler: strict }, async (request) => identity(request));
    const admin = bearerHook(validator, { requiredClaims: ['role'] });
    app.get('/admin', { onRequest: admin }, async (request) => identity(request));
    app.get('/health', async () => ({ ok: true }));
    return listening(app);
  });
});

describe('the plugin for fastify, without a service', () => {
  let validator: Validator;
  let app: FastifyInstance;
  let running: App | undefined;
  beforeEach(async () => {
    validator = createValidator({ address: '127.0.0.1:1', deadline: '50ms' });
    app = await shop(validator);
  });
  afterEach(async () => {
    await (running?.close() ?? app.close());
    running = undefined;
    await validator.close();
  });

  it('guards all routes of its scope, those before it and unknown paths too, and none outside', async () => {
    const outer = fastify();
    outer.get('/outside', async () => 'open');
    await outer.register(async (scope) => {
      scope.get('/before', async () => 'guarded');
      await scope.register(bearerAuth, { validator });
      scope.get('/after', async () => 'guarded');
    });
    running = await listening(outer);
    const { port } = running;
    const statuses = await Promise.all(
      ['/outside', '/before', '/after'].map(async (path) => (await get(port, path)).status),
    );
    expect(statuses).to.deep.equal([200, 401, 401]);
    await running.close();
    running = await listening(app);
    expect((await get(running.port, '/unknown')).status).to.equal(401);
  });

  it('guards the scopes that were registered before it, too', async () => {
    const outer = fastify();
    outer.register(async (scope) => void scope.get('/earlier', async () => 'guarded'));
    outer.register(bearerAuth, { validator });
    outer.register(async (scope) => void scope.get('/later', async () => 'guarded'));
    running = await listening(outer);
    const { port } = running;
    const statuses = await Promise.all(['/earlier', '/later'].map(async (path) => (await get(port, path)).status));
    expect(statuses).to.deep.equal([401, 401]);
  });

  it('comes before the hooks that were added after it, and after those before it', async () => {
    const seen: string[] = [];
    const ordered = fastify();
    ordered.addHook('onRequest', async () => void seen.push('before'));
    await ordered.register(bearerAuth, { validator });
    ordered.addHook('onRequest', async () => void seen.push('after'));
    ordered.get('/', async () => 'guarded');
    running = await listening(ordered);
    expect((await get(running.port, '/')).status).to.equal(401);
    expect((await get(running.port, '/unknown')).status).to.equal(401);
    expect(seen).to.deep.equal(['before', 'before']);
  });

  it('refuses before the body is read, and in its own form whatever the schema of the route says', async () => {
    const schema = { response: { 401: { type: 'object', properties: { other: { type: 'string' } } } } };
    app.post('/orders', { schema }, async () => ({}));
    running = await listening(app);
    const { status, body } = await send({ port: running.port, path: '/orders', method: 'POST', body: '{broken' }, []);
    expect([status, JSON.parse(body).code]).to.deep.equal([401, 'not_authenticated']);
  });

  it('logs why it is unknown whether a token is active, without the token', async () => {
    const lines: string[] = [];
    const logged = fastify({ logger: { stream: { write: (line: string) => void lines.push(line) } } });
    await logged.register(bearerAuth, { validator });
    logged.get('/', async () => 'guarded');
    running = await listening(logged);
    const token = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';
    const { status } = await get(running.port, '/', `Bearer ${token}`);
    expect(status).to.equal(503);
    const found = lines.filter((line) => line.includes('could not be authenticated'));
    expect(found).to.have.length(1);
    expect(lines.join('')).to.not.include('c2lnbmF0dXJl');
  });

  it('finds a wrong requirement when the application is built', async () => {
    const wrong = { consistency: 'eventual' as 'strict' };
    expect(() => bearerHook(validator, wrong)).to.throw(TypeError, "wanted is 'bounded' or 'strict'");
    expect(() => bearerHook(validator, { requiredClaims: ['aud'] })).to.throw(TypeError, '"aud", which is reserved');
    expect(() => bearerHook(validator, { claims: ['role'] } as object)).to.throw(TypeError, 'no option "claims"');
    expect(() => app.get('/wrong', { config: { auth: wrong } }, async () => '')).to.throw(TypeError, 'consistency');
    for (const auth of [null, true, 'strict', 0]) {
      const config = { auth } as object;
      expect(() => app.get(`/${auth}`, { config }, async () => '')).to.throw(TypeError, 'wanted is an object');
    }
    const other = fastify();
    const failed = await Promise.resolve(other.register(bearerAuth, { validator, ...wrong })).catch(
      (error: unknown) => error,
    );
    expect(failed).to.be.instanceOf(TypeError);
  });

  it('gives no identity to a handler whose route is not guarded', () => {
    expect(() => authOf({ auth: null })).to.throw('guard its route');
    expect(() => authOf({})).to.throw('guard its route');
  });
});
