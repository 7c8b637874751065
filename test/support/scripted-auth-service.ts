// A scripted service in place of the real one: gRPC on a port, with scripted answers and a record of calls.

import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import {
  AuthServiceService,
  type GetJsonWebKeySetRequest,
  type GetJsonWebKeySetResponse,
  type IntrospectTokenRequest,
  type IntrospectTokenResponse,
  type LogoutRequest,
  type RefreshTokenRequest,
  type RefreshTokenResponse,
} from '../../proto/gen/auth/v1/auth_service.js';
import { IssuerServiceService, type RevokeSubjectRequest } from '../../proto/gen/auth/v1/issuer_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import {
  BadRequest,
  type BadRequest_FieldViolation,
  ErrorInfo,
  RetryInfo,
} from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { HealthCheckResponse_ServingStatus, HealthService } from '../../proto/gen/grpc/health/v1/health.js';
import type { Address } from '../../src/platform/env.js';

/** A detail of a failed call, packed. */
export interface Detail {
  readonly typeUrl: string;
  readonly value: Buffer;
}

const pack = (name: string, value: Uint8Array): Detail => ({
  typeUrl: `type.googleapis.com/google.rpc.${name}`,
  value: Buffer.from(value),
});

export const errorInfo = (reason: string, domain = 'latchkey'): Detail =>
  pack('ErrorInfo', ErrorInfo.encode({ reason, domain, metadata: {} }).finish());

export const badRequest = (field: string, reason: string, description = `${field} is wrong`): Detail =>
  pack('BadRequest', BadRequest.encode({ fieldViolations: [violation(field, reason, description)] }).finish());

const violation = (field: string, reason: string, description: string): BadRequest_FieldViolation => ({
  ...{ field, reason, description, localizedMessage: undefined },
});

export const retryInfo = (seconds: number, nanos = 0): Detail =>
  pack('RetryInfo', RetryInfo.encode({ retryDelay: { seconds, nanos } }).finish());

/** A failed call as a server sends it. */
export function failure(code: status, details: readonly Detail[] = [], message = 'scripted failure'): ServiceError {
  const metadata = new Metadata();
  if (details.length > 0) {
    const packed = Status.encode({ code, message, details: [...details] }).finish();
    metadata.set('grpc-status-details-bin', Buffer.from(packed));
  }
  return Object.assign(new Error(message), { code, details: message, metadata });
}

export const tokenProblem = (reason: string, domain?: string): ServiceError =>
  failure(status.UNAUTHENTICATED, [errorInfo(reason, domain)]);

/** One call that the service got. */
export interface SeenCall {
  readonly method: 'refreshToken' | 'logout' | 'getJsonWebKeySet' | 'introspectToken' | 'revokeSubject';
  readonly request:
    | RefreshTokenRequest
    | LogoutRequest
    | GetJsonWebKeySetRequest
    | IntrospectTokenRequest
    | RevokeSubjectRequest;
  readonly requestId: unknown;
}

export const PAIR = { access: 'next.access.token', refresh: 'next.refresh.token' };

const goodAnswer = (): RefreshTokenResponse => ({
  tokens: {
    accessToken: PAIR.access,
    refreshToken: PAIR.refresh,
    accessExpiresAt: 1_700_000_300,
    refreshExpiresAt: 1_700_604_800,
    sessionId: '018bcfe5-6800-7000-8000-000000000000',
  },
});

/** The service. Without a script every call succeeds. */
export class ScriptedAuthService {
  /** Every call so far. */
  readonly calls: SeenCall[] = [];
  /** What happens in a call before it succeeds: it may wait, or throw a `failure`. */
  script: (call: SeenCall) => void | Promise<void> = () => {};
  /** What a successful refresh answers. */
  answer: () => RefreshTokenResponse = goodAnswer;
  /** What the public keys are. */
  keySet: GetJsonWebKeySetResponse = { keys: [], maxAgeSeconds: 0 };
  /** What the health service says. */
  serving = true;
  #server = new Server();
  #port = 0;

  get address(): Address {
    return { host: '127.0.0.1', port: this.#port };
  }

  get lastCall(): SeenCall | undefined {
    return this.calls.at(-1);
  }

  /** Listens: at first on a port that the system chooses, later on the same again. */
  async start(): Promise<this> {
    this.#server = new Server();
    this.#server.addService(AuthServiceService, {
      refreshToken: this.#handler<RefreshTokenRequest, RefreshTokenResponse>('refreshToken', () => this.answer()),
      logout: this.#handler<LogoutRequest, object>('logout', () => ({})),
      validateToken: this.#handler('logout', () => ({})),
      introspectToken: this.#handler<IntrospectTokenRequest, IntrospectTokenResponse>('introspectToken', () => ({
        ...{ active: false, problem: TokenProblem.TOKEN_PROBLEM_MALFORMED, response: { active: false }, jwt: '' },
      })),
      getJsonWebKeySet: this.#handler<GetJsonWebKeySetRequest, GetJsonWebKeySetResponse>(
        'getJsonWebKeySet',
        () => this.keySet,
      ),
    });
    this.#server.addService(IssuerServiceService, {
      issueToken: this.#handler('revokeSubject', () => ({})),
      revokeSubject: this.#handler<RevokeSubjectRequest, object>('revokeSubject', () => ({})),
    });
    const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
    this.#server.addService(HealthService, {
      check: (_call: unknown, answer: (error: null, value: object) => void) =>
        answer(null, { status: this.serving ? SERVING : NOT_SERVING }),
      watch: () => {},
    });
    this.#port = await new Promise<number>((resolve, reject) => {
      const { host, port } = this.address;
      this.#server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return this;
  }

  /** Goes away at once, calls under way or not. */
  stop(): void {
    this.#server.forceShutdown();
  }

  /** Forgets the calls and the script. */
  reset(): void {
    this.calls.length = 0;
    this.script = () => {};
    this.answer = goodAnswer;
    this.serving = true;
  }

  #handler<Q extends SeenCall['request'], A>(method: SeenCall['method'], succeed: () => A): handleUnaryCall<Q, A> {
    return ({ request, metadata }: ServerUnaryCall<Q, A>, answer) => {
      const [requestId] = metadata.get('x-request-id');
      const call: SeenCall = { method, request, requestId };
      this.calls.push(call);
      Promise.resolve()
        .then(() => this.script(call))
        .then(() => answer(null, succeed()), answer);
    };
  }
}
