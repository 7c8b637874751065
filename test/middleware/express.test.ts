// Tests of latchkey/validator/express on a real express, a real service and real sockets.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express, { type Express, type Request, type Response } from 'express';
import { authOf, bearerAuth } from '../../src/middleware/express.js';
import type { ActiveToken, Validation, Validator } from '../../src/validator/api.js';
import { createValidator } from '../../src/validator/create-validator.js';
import { CannotTell } from '../../src/validator/errors.js';
import { type App, answersAsTheGateway, get } from './http-cases.js';

async function listening(handler: Express | Server): Promise<App> {
  const server = handler instanceof Function ? createServer(handler) : handler;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

function respond(request: Request, response: Response): void {
  const { subject, claims } = authOf(request);
  response.json({ subject, role: claims['role'] });
}

describe('the middleware for express', () => {
  answersAsTheGateway(({ validator }) => {
    const app = express();
    app.get('/health', (_request, response) => void response.json({ ok: true }));
    app.use('/orders', bearerAuth(validator), respond);
    app.get('/pay', bearerAuth(validator, { consistency: 'strict' }), respond);
    app.get('/admin', bearerAuth(validator, { requiredClaims: ['role'] }), respond);
    return listening(app);
  });
});

describe('the middleware for express, on a bare server of Node', () => {
  answersAsTheGateway(({ validator }) => {
    const guards: Readonly<Record<string, ReturnType<typeof bearerAuth>>> = {
      '/orders': bearerAuth(validator),
      '/pay': bearerAuth(validator, { consistency: 'strict' }),
      '/admin': bearerAuth(validator, { requiredClaims: ['role'] }),
    };
    const server = createServer((request, response) => {
      const guard = guards[request.url ?? ''];
      if (!guard) return response.end('ok');
      return guard(request, response, () => {
        const { subject, claims } = authOf(request);
        response.end(JSON.stringify({ subject, role: claims['role'] }));
      });
    });
    return listening(server);
  });
});

describe('the middleware for express, without a service', () => {
  let validator: Validator;
  let running: App | undefined;
  beforeEach(() => {
    validator = createValidator({ address: '127.0.0.1:1', deadline: '50ms' });
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
    await validator.close();
  });

  it('says why it is unknown whether a token is active, without the token', async () => {
    const reasons: Error[] = [];
    const app = express();
    app.use(bearerAuth(validator, { consistency: 'strict', onError: (reason) => void reasons.push(reason) }), respond);
    running = await listening(app);
    const { status } = await get(running.port, '/', 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl');
    expect(status).to.equal(503);
    expect(reasons).to.have.length(1);
    expect(reasons.map(({ message }) => message).join()).to.not.include('c2lnbmF0dXJl');
  });

  it('answers although onError throws', async () => {
    const onError = () => {
      throw new Error('the log is full');
    };
    const app = express();
    app.use(bearerAuth(validator, { consistency: 'strict', onError }), respond);
    running = await listening(app);
    expect(await get(running.port, '/', 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl')).to.include({ status: 503 });
  });

  it('answers 503 for the CannotTell of another copy of this package', async () => {
    const error = Object.assign(new Error('unknown'), { code: 'CANNOT_TELL', retryAfterMs: 2_500 });
    const other: Validator = {
      ...{ ready: validator.ready, state: () => validator.state(), close: () => validator.close() },
      validateNow: () => undefined,
      validate: () => Promise.reject(error),
    };
    const app = express();
    app.use(bearerAuth(other), respond);
    running = await listening(app);
    const { status, headers } = await get(running.port, '/', 'Bearer x');
    expect([status, headers['retry-after']]).to.deep.equal([503, '3']);
  });

  it('gives an unexpected error to the error handler, and lets nothing through', async () => {
    const broken: Validator = {
      ...{ ready: validator.ready, state: () => validator.state(), close: () => validator.close() },
      validateNow: () => undefined,
      validate: () => Promise.reject(new RangeError('broken')),
    };
    const app = express();
    app.use(bearerAuth(broken), (_request, response) => void response.json('let through'));
    app.use((error: unknown, _request: Request, response: Response, _next: unknown) => {
      response.status(500).json(error instanceof RangeError ? 'handled' : 'other');
    });
    running = await listening(app);
    expect(await get(running.port, '/', 'Bearer x')).to.include({ status: 500, body: '"handled"' });
  });

  it('leaves a request alone that another middleware has answered meanwhile', async () => {
    const late: Readonly<Record<string, () => Promise<Validation>>> = {
      refused: async () => ({ active: false, problem: 'REVOKED' }),
      unknown: () => Promise.reject(Object.assign(new Error('unknown'), { code: 'CANNOT_TELL', retryAfterMs: 1 })),
      active: async () => ({ active: true }) as ActiveToken,
    };
    for (const [name, answer] of Object.entries(late)) {
      let decide: () => void = () => {};
      const decided = new Promise<void>((resolve) => {
        decide = resolve;
      });
      const validate = () => decided.then(answer);
      const app = express();
      let handled = 0;
      app.use((_request, response, next) => {
        next();
        response.status(503).end('too late');
      });
      app.use(bearerAuth({ ...validator, validateNow: () => undefined, validate }), () => void handled++);
      running = await listening(app);
      expect(await get(running.port, '/', 'Bearer x'), name).to.include({ status: 503, body: 'too late' });
      decide();
      // An error in the middleware would be an unhandled rejection by then.
      await new Promise(setImmediate);
      expect(handled, name).to.equal(0);
      await running.close();
      running = undefined;
    }
  });

  it('cuts a response that has begun when its request is refused', async () => {
    const app = express();
    const validate = () => new Promise<never>((_, reject) => setImmediate(reject, new CannotTell('gone', 1)));
    app.use((_request, response, next) => {
      response.write('begun');
      next();
    });
    app.use(bearerAuth({ ...validator, validateNow: () => undefined, validate }), respond);
    running = await listening(app);
    const response = await fetch(`http://127.0.0.1:${running.port}/`, { headers: { authorization: 'Bearer x' } });
    expect(await response.text().catch(({ message }: Error) => message)).to.equal('terminated');
  });

  it('finds a wrong requirement when the application is built', () => {
    expect(() => bearerAuth(validator, { maxStaleness: 'soon' })).to.throw(TypeError, 'maxStaleness is "soon"');
    expect(() => bearerAuth(validator, { requiredClaims: ['sub'] })).to.throw(TypeError, 'reserved');
    const wrong = { requiredClaims: 'role' } as object;
    expect(() => bearerAuth(validator, wrong)).to.throw(TypeError, 'requiredClaims is "role"; wanted is a list');
    expect(() => bearerAuth(undefined as never)).to.throw(TypeError, 'a guard needs a validator');
  });
});
