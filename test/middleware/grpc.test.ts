// Tests of latchkey/validator/grpc on a real server of grpc-js, a real service and real calls.

import { credentials, Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { AuthServiceClient, type AuthServiceServer, AuthServiceService } from '../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import {
  HealthCheckResponse_ServingStatus,
  HealthClient,
  type HealthServer,
  HealthService,
} from '../../proto/gen/grpc/health/v1/health.js';
import { authOf, type BearerInterceptorOptions, bearerInterceptor } from '../../src/middleware/grpc.js';
import { createValidator } from '../../src/validator/create-validator.js';
import { CallFailed, type Failure, failureOf } from '../support/auth-client.js';
import { until } from '../support/waiting.js';
import { Guarded, MAX_STALENESS_MS } from './guarded.js';

const EMPTY = {
  problem: TokenProblem.TOKEN_PROBLEM_UNSPECIFIED,
  tokenId: '',
  issuedAt: 0,
  expiresAt: 0,
  issuer: '',
  audience: [],
  claims: undefined,
};
const SERVING = { status: HealthCheckResponse_ServingStatus.SERVING };

/** A server whose methods return or stream what they know of the caller. The contracts are ours only for convenience. */
class Shop {
  readonly #server: Server;
  readonly #auth: AuthServiceClient;
  readonly #health: HealthClient;

  private constructor(server: Server, address: string) {
    this.#server = server;
    this.#auth = new AuthServiceClient(address, credentials.createInsecure());
    this.#health = new HealthClient(address, credentials.createInsecure());
  }

  static async start(guarded: Pick<Guarded, 'validator'>, options: BearerInterceptorOptions = {}): Promise<Shop> {
    const server = new Server({ interceptors: [bearerInterceptor(guarded.validator, options)] });
    const auth: AuthServiceServer = {
      validateToken: (call, done) => {
        const { subject, sessionId } = authOf(call);
        done(null, { active: true, ...EMPTY, subject, sessionId });
      },
      logout: (_call, done) => done(null, {}),
      refreshToken: (call, done) => {
        try {
          authOf(call);
          done(null, { tokens: undefined });
        } catch (error) {
          done({ code: 13, details: (error as Error).message });
        }
      },
      validateTokens: (_call, done) => done(null, { results: [] }),
      introspectToken: (_call, done) => done(null, { active: false, problem: 0, response: undefined, jwt: '' }),
      getJsonWebKeySet: (_call, done) => done(null, { keys: [], maxAgeSeconds: 0 }),
      watchRevocations: (call) => call.end(),
    };
    const health: Pick<HealthServer, 'check' | 'watch'> = {
      check: (_call, done) => done(null, SERVING),
      watch: (call) => {
        call.write(SERVING);
        call.end();
      },
    };
    server.addService(AuthServiceService, { ...auth });
    server.addService(HealthService, { ...health });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return new Shop(server, `127.0.0.1:${port}`);
  }

  /** @returns the subject */
  orders(...authorization: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#auth.validateToken(
        { accessToken: '', includeClaims: false },
        metadataOf(authorization),
        (error, response) => (error ? reject(new CallFailed(failureOf(error))) : resolve(response.subject)),
      );
    });
  }

  pay(...authorization: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = { accessToken: '', refreshToken: '', allSessions: false };
      this.#auth.logout(request, metadataOf(authorization), (error) =>
        error ? reject(new CallFailed(failureOf(error))) : resolve('paid'),
      );
    });
  }

  open(): Promise<string> {
    return new Promise((resolve) => {
      this.#auth.refreshToken({ refreshToken: '' }, new Metadata(), (error) => resolve(error?.details ?? 'answered'));
    });
  }

  /** @returns how many messages came */
  watch(...authorization: string[]): Promise<number> {
    return new Promise((resolve, reject) => {
      let count = 0;
      const stream = this.#health.watch({ service: '' }, metadataOf(authorization));
      stream.on('data', () => count++);
      stream.on('error', (error) => reject(new CallFailed(failureOf(error as never))));
      stream.on('end', () => resolve(count));
    });
  }

  stop(): void {
    this.#auth.close();
    this.#health.close();
    this.#server.forceShutdown();
  }
}

function metadataOf(authorization: readonly string[]): Metadata {
  const metadata = new Metadata();
  for (const line of authorization) metadata.add('authorization', line);
  return metadata;
}

const failed = (call: Promise<unknown>): Promise<Failure | unknown> =>
  call.then(
    (value) => value,
    (error: unknown) => (error instanceof CallFailed ? error.failure : error),
  );

describe('the interceptor for gRPC', () => {
  let guarded: Guarded;
  let shop: Shop;
  const reasons: Error[] = [];
  before(async () => {
    guarded = await Guarded.start();
    await guarded.validator.ready();
    const methods = {
      '/auth.v1.AuthService/Logout': { consistency: 'strict', requiredClaims: ['role'] },
      '/auth.v1.AuthService/RefreshToken': false,
    } as const;
    shop = await Shop.start(guarded, { methods, onError: (reason) => void reasons.push(reason) });
  });
  after(async () => {
    shop?.stop();
    await guarded?.stop();
  });
  afterEach(() => guarded.resume());

  it('lets an active token through, with its identity, unary and streaming', async () => {
    const token = await guarded.token('anna');
    expect(await shop.orders(`Bearer ${token}`)).to.equal('anna');
    expect(await shop.watch(`bearer ${token}`)).to.equal(1);
  });

  it('refuses a call without a bearer token, and one with something else', async () => {
    const missing = { code: 'UNAUTHENTICATED', reason: 'NOT_AUTHENTICATED', domain: 'latchkey' };
    expect(await failed(shop.orders())).to.include(missing);
    expect(await failed(shop.orders('Basic YTpi'))).to.include(missing);
    expect(await failed(shop.watch())).to.include(missing);
    const good = `Bearer ${await guarded.token()}`;
    const invalid = { code: 'UNAUTHENTICATED', reason: 'INVALID_REQUEST', domain: 'latchkey' };
    expect(await failed(shop.orders(`${good}, ${good}`))).to.include(invalid);
    expect(await failed(shop.orders(`${good} x`))).to.include(invalid);
  });

  it('names the problem of a token that is not active', async () => {
    const forged = `${(await guarded.token()).slice(0, -4)}AAAA`;
    const bad = { code: 'UNAUTHENTICATED', reason: 'BAD_SIGNATURE', domain: 'latchkey' };
    expect(await failed(shop.orders(`Bearer ${forged}`))).to.include(bad);
    expect(await failed(shop.watch(`Bearer ${forged}`))).to.include(bad);
  });

  it('asks what each method requires', async () => {
    const [plain, editor] = [await guarded.token(), await guarded.token('anna', { role: 'editor' })];
    const lacking = { code: 'UNAUTHENTICATED', reason: 'MISSING_CLAIM', domain: 'latchkey' };
    expect(await failed(shop.pay(`Bearer ${plain}`))).to.include(lacking);
    expect(await shop.pay(`Bearer ${editor}`)).to.equal('paid');
    expect(await shop.orders(`Bearer ${editor}`)).to.equal('anna');
    await guarded.client.logout({ accessToken: editor });
    const loggedOutMs = performance.now();
    const revoked = { code: 'UNAUTHENTICATED', reason: 'REVOKED', domain: 'latchkey' };
    expect(await failed(shop.pay(`Bearer ${editor}`))).to.include(revoked);
    await until(() => performance.now() > loggedOutMs + MAX_STALENESS_MS);
    expect(await failed(shop.orders(`Bearer ${editor}`))).to.include(revoked);
  });

  it('leaves open what is not guarded, and knows no identity there', async () => {
    expect(await shop.open()).to.include('guard its method');
  });

  it('answers UNAVAILABLE while the service does not answer, says why to the server alone, and recovers', async () => {
    const token = await guarded.token();
    expect(await shop.orders(`Bearer ${token}`)).to.equal('alice');
    guarded.pause();
    reasons.length = 0;
    const failure = (await failed(shop.pay(`Bearer ${token}`))) as Failure;
    expect(failure).to.include({ code: 'UNAVAILABLE' });
    expect(failure.retryAfterS).to.be.a('number');
    expect(failure.message).to.not.include('127.0.0.1');
    expect(reasons).to.have.length(1);
    expect(reasons[0]?.message).to.not.include(token.slice(-20));
    guarded.resume();
    await until(async () => (await failed(shop.orders(`Bearer ${token}`))) === 'alice');
  });

  it('finds a wrong requirement when the server is built', () => {
    const { validator } = guarded;
    const methods = { '/shop.v1.Orders/Pay': { consistency: 'never' as 'strict' } };
    expect(() => bearerInterceptor(validator, { methods })).to.throw(TypeError, 'consistency');
    expect(() => bearerInterceptor(validator, { requiredClaims: ['exp'] })).to.throw(TypeError, 'reserved');
  });

  it('finds a method that is not a path, whose requirements would hold for nothing', () => {
    const { validator } = guarded;
    for (const path of ['shop.v1.Orders/Pay', 'Pay', '/shop.v1.Orders', '/shop.v1.Orders/*', '/shop.v1.Orders/Pay/']) {
      const methods = { [path]: { consistency: 'strict' as const } };
      expect(() => bearerInterceptor(validator, { methods }), path).to.throw(TypeError, `methods names "${path}"`);
    }
  });
});

describe('the interceptor for gRPC, without a service', () => {
  it('answers although onError throws', async () => {
    const validator = createValidator({ address: '127.0.0.1:1', deadline: '50ms' });
    const onError = () => {
      throw new Error('the log is full');
    };
    const shop = await Shop.start({ validator }, { onError });
    const token = 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl';
    expect(await failed(shop.orders(`Bearer ${token}`))).to.include({ code: 'UNAVAILABLE' });
    shop.stop();
    await validator.close();
  });
});
