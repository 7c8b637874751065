// The gRPC client that tests use: the generated one with promises, and its errors with their details decoded.

import {
  type ChannelCredentials,
  type ChannelOptions,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import {
  AuthServiceClient,
  type GetJsonWebKeySetResponse,
  type IntrospectTokenResponse,
  type LogoutRequest,
  type ValidateTokenResponse,
  type ValidateTokensResponse,
  type ValidateTokensResult,
} from '../../proto/gen/auth/v1/auth_service.js';
import { IssuerServiceClient } from '../../proto/gen/auth/v1/issuer_service.js';
import { type TokenPair, TokenProblem } from '../../proto/gen/auth/v1/token.js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { HealthCheckResponse_ServingStatus, HealthClient } from '../../proto/gen/grpc/health/v1/health.js';
import { ISSUER_TOKEN } from './processes.js';

/** A failed call, as a client sees it. */
export interface Failure {
  readonly code: keyof typeof status;
  readonly message: string;
  readonly reason?: string | undefined;
  readonly domain?: string | undefined;
  readonly cause?: string | undefined;
  readonly field?: string | undefined;
  readonly fieldReason?: string | undefined;
  readonly retryAfterS?: number | undefined;
}

type Callback<T> = (error: ServiceError | null, response: T) => void;

/** A client of one service process. Every call rejects with a CallFailed. */
export class TestClient {
  readonly #auth: AuthServiceClient;
  readonly #issuer: IssuerServiceClient;
  readonly #health: HealthClient;
  /** How long each call may take, ms. */
  deadlineMs = 15_000;

  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure(), more: ChannelOptions = {}) {
    // A service that comes back is found at once: what is tested is the service, not the client's patience.
    const options = { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 200, ...more };
    this.#auth = new AuthServiceClient(address, channel, options);
    this.#issuer = new IssuerServiceClient(address, channel, options);
    this.#health = new HealthClient(address, channel, options);
  }

  async issue(subject = 'alice', claims?: Record<string, unknown>, credential = ISSUER_TOKEN): Promise<TokenPair> {
    const metadata = new Metadata();
    if (credential !== '') metadata.set('authorization', `Bearer ${credential}`);
    const { tokens } = await this.#call<{ tokens: TokenPair | undefined }>((done) =>
      this.#issuer.issueToken({ subject, claims, clientId: '', scope: '' }, metadata, this.#options(), done),
    );
    return must(tokens);
  }

  async revokeSubject(subject: string, credential = ISSUER_TOKEN): Promise<void> {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${credential}`);
    await this.#call((done) => this.#issuer.revokeSubject({ subject }, metadata, this.#options(), done));
  }

  async refresh(refreshToken: string): Promise<TokenPair> {
    const { tokens } = await this.#call<{ tokens: TokenPair | undefined }>((done) =>
      this.#auth.refreshToken({ refreshToken }, new Metadata(), this.#options(), done),
    );
    return must(tokens);
  }

  async logout(request: Partial<LogoutRequest>): Promise<void> {
    const whole = { accessToken: '', refreshToken: '', allSessions: false, ...request };
    await this.#call((done) => this.#auth.logout(whole, new Metadata(), this.#options(), done));
  }

  validate(accessToken: string, includeClaims = false, metadata = new Metadata()): Promise<ValidateTokenResponse> {
    return this.#call((done) =>
      this.#auth.validateToken({ accessToken, includeClaims }, metadata, this.#options(), done),
    );
  }

  async validateMany(accessTokens: readonly string[], includeClaims = false): Promise<readonly ValidateTokensResult[]> {
    const request = { accessTokens: [...accessTokens], includeClaims };
    const { results } = await this.#call<ValidateTokensResponse>((done) =>
      this.#auth.validateTokens(request, new Metadata(), this.#options(), done),
    );
    return results;
  }

  /** `active`, or the problem's name without its prefix. */
  async verdict(accessToken: string): Promise<string> {
    return verdictIn(await this.validate(accessToken));
  }

  /** The same, of a token among others; undefined: the service cannot tell. */
  async verdictAmong(accessToken: string): Promise<string | undefined> {
    const [, result] = await this.validateMany(['no.jw.t', accessToken]);
    return result?.validation && verdictIn(result.validation);
  }

  introspect(token: string, jwtAudience = ''): Promise<IntrospectTokenResponse> {
    return this.#call((done) =>
      this.#auth.introspectToken({ token, jwtAudience }, new Metadata(), this.#options(), done),
    );
  }

  /** The public keys, and for how long they may be kept. */
  keySet(): Promise<GetJsonWebKeySetResponse> {
    return this.#call((done) => this.#auth.getJsonWebKeySet({}, new Metadata(), this.#options(), done));
  }

  /** What the health service says of a service: `SERVING`, `NOT_SERVING`, … */
  async health(service = ''): Promise<string> {
    const { status: serving } = await this.#call<{ status: number }>((done) =>
      this.#health.check({ service }, new Metadata(), this.#options(), done),
    );
    return nameOfServing(serving);
  }

  /** Watches the health of a service; each new state is called back. Returns the way to stop. */
  watchHealth(service: string, listener: (state: string) => void): () => void {
    const stream = this.#health.watch({ service });
    stream.on('data', ({ status: serving }: { status: number }) => listener(nameOfServing(serving)));
    stream.on('error', () => {});
    return () => stream.cancel();
  }

  close(): void {
    this.#auth.close();
    this.#issuer.close();
    this.#health.close();
  }

  #options(): { deadline: number } {
    return { deadline: Date.now() + this.deadlineMs };
  }

  #call<T>(begin: (done: Callback<T>) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      begin((error, response) => (error ? reject(new CallFailed(failureOf(error))) : resolve(response)));
    });
  }
}

/** Rejects the promise of a call that failed. */
export class CallFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(`${failure.code}: ${failure.message}`);
    this.failure = failure;
  }
}

/** The failure of a call that must fail. */
export async function failureOfCall(call: Promise<unknown>): Promise<Failure> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CallFailed) return error.failure;
    throw error;
  }
  throw new Error('the call did not fail');
}

/** The status of a failed call, with its details decoded. */
export function failureOf(error: ServiceError): Failure {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  const details = Buffer.isBuffer(bytes) ? Status.decode(bytes).details : [];
  const find = (type: string) =>
    details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${type}`)?.value;
  const [info, request, retry] = ['ErrorInfo', 'BadRequest', 'RetryInfo'].map(find);
  const { reason, domain, metadata } = info ? ErrorInfo.decode(info) : {};
  const violation = request ? BadRequest.decode(request).fieldViolations[0] : undefined;
  return {
    code: status[error.code] as keyof typeof status,
    message: error.details,
    reason,
    domain,
    cause: metadata?.['cause'],
    field: violation?.field,
    fieldReason: violation?.reason,
    retryAfterS: retry ? RetryInfo.decode(retry).retryDelay?.seconds : undefined,
  };
}

/** `active`, or the problem's name without its prefix. */
export function verdictIn({ active, problem }: Pick<ValidateTokenResponse, 'active' | 'problem'>): string {
  if (active) return 'active';
  const name = Object.entries(TokenProblem).find(([, value]) => value === problem)?.[0] ?? '';
  return name.replace('TOKEN_PROBLEM_', '');
}

const nameOfServing = (value: number): string =>
  Object.entries(HealthCheckResponse_ServingStatus).find(([, each]) => each === value)?.[0] ?? `${value}`;

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the answer has no tokens');
  return value;
}
