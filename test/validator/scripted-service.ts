// A scripted service in place of the real one, for validations: gRPC on a port, scripted answers, a record of calls.

import { Server, ServerCredentials, type ServiceError, type sendUnaryData } from '@grpc/grpc-js';
import {
  AuthServiceService,
  type GetJsonWebKeySetResponse,
  type ValidateTokensRequest,
  type ValidateTokensResponse,
  type ValidateTokensResult,
} from '../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import { authentic, authenticHs256, es256, goodClaims } from '../attacks/forge.js';

/** A call of ValidateTokens. */
export interface BatchCall {
  readonly tokens: readonly string[];
  /** When it came, by the monotonic clock of the test's process, ms. */
  readonly atMs: number;
}

const EMPTY = { subject: '', sessionId: '', tokenId: '', issuedAt: 0, expiresAt: 0, issuer: '', audience: [] };

export const inactiveResult = (problem: TokenProblem): ValidateTokensResult => ({
  validation: { active: false, problem, ...EMPTY, claims: undefined },
  cannotTell: undefined,
});

export const cannotTellResult = (seconds = 1): ValidateTokensResult => ({
  validation: undefined,
  cannotTell: { retryDelay: { seconds, nanos: 0 } },
});

/** What the service would say of an active token with these claims. */
export function activeResult(token: string): ValidateTokensResult {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const { sub, sid = '', jti, iat, exp, iss = '', aud = [] } = claims;
  const validation = {
    ...{ active: true, problem: TokenProblem.TOKEN_PROBLEM_UNSPECIFIED, subject: sub, sessionId: sid, tokenId: jti },
    ...{ issuedAt: iat, expiresAt: exp, issuer: iss, audience: [aud].flat(), claims: undefined },
  };
  return { validation, cannotTell: undefined };
}

export class ScriptedService {
  readonly calls: BatchCall[] = [];
  keySetCalls = 0;
  /** What happens in a call before it is answered: it may wait, or throw a `failure`. */
  before: (call: BatchCall) => unknown = () => {};
  beforeKeys: () => unknown = () => {};
  /** The result for one token. */
  result: (token: string) => ValidateTokensResult = activeResult;
  /** The whole answer of a call. */
  answer: (call: BatchCall) => ValidateTokensResponse = ({ tokens }) => ({ results: tokens.map(this.result) });
  keySet: GetJsonWebKeySetResponse = keySetOf();
  /** Calls under way, and the most at a time so far. */
  underWay = 0;
  mostUnderWay = 0;
  #server = new Server();
  #port = 0;

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get tokensAsked(): number {
    return this.calls.reduce((sum, { tokens }) => sum + tokens.length, 0);
  }

  /** Listens: at first on a port that the system chooses, later on the same again. */
  async start(): Promise<this> {
    this.#server = new Server({ 'grpc.max_receive_message_length': 1024 * 1024 });
    const unused = (_: unknown, done: sendUnaryData<never>) => done(new Error('unused') as ServiceError);
    this.#server.addService(AuthServiceService, {
      ...{ refreshToken: unused, logout: unused, validateToken: unused },
      validateTokens: (
        { request }: { request: ValidateTokensRequest },
        done: sendUnaryData<ValidateTokensResponse>,
      ) => {
        const call = { tokens: request.accessTokens, atMs: performance.now() };
        this.calls.push(call);
        this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
        void reply(
          () => this.before(call),
          () => this.answer(call),
          (error, value) => {
            this.underWay--;
            done(error, value);
          },
        );
      },
      getJsonWebKeySet: (_: unknown, done: sendUnaryData<GetJsonWebKeySetResponse>) => {
        this.keySetCalls++;
        void reply(
          () => this.beforeKeys(),
          () => this.keySet,
          done,
        );
      },
    });
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(this.address, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    return this;
  }

  /** Goes away at once, calls under way or not. */
  stop(): void {
    this.#server.forceShutdown();
  }
}

async function reply<T>(before: () => unknown, answer: () => T, done: sendUnaryData<T>): Promise<void> {
  try {
    await before();
    done(null, answer());
  } catch (error) {
    done(error as ServiceError);
  }
}

/** The key set of the ES256 key that `goodToken` signs with. */
export function keySetOf(maxAgeSeconds = 300): GetJsonWebKeySetResponse {
  const { kty = '', use = '', alg = '', kid = '', crv = '', x = '', y = '' } = es256.publicJwk ?? {};
  return { keys: [{ kty, use, alg, kid, crv, x, y, n: '', e: '' }], maxAgeSeconds };
}

let made = 0;

/** A good access token, another one each time. */
export const goodToken = (more: Record<string, unknown> = {}): string =>
  authentic(goodClaims({ sub: `user-${made++}`, ...more }));

/** The same under HS256: no key set can verify it. */
export const hs256Token = (more: Record<string, unknown> = {}): string =>
  authenticHs256(goodClaims({ sub: `user-${made++}`, ...more }));

/** A text of a token as a server gets it: made anew. */
export const anew = (token: string): string => Buffer.from(token).toString('latin1');
