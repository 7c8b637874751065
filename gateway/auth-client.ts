// The client of the service's AuthService and of its health.

import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  AuthServiceService as AUTH,
  AuthServiceClient,
  type GetJsonWebKeySetResponse,
  type IntrospectTokenRequest,
  type IntrospectTokenResponse,
  type LogoutRequest,
  type LogoutResponse,
  type RefreshTokenResponse,
  type WatchRevocationsRequest,
  type WatchRevocationsResponse,
} from '../proto/gen/auth/v1/auth_service.js';
import type { TokenPair } from '../proto/gen/auth/v1/token.js';
import {
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthClient,
  HealthService,
} from '../proto/gen/grpc/health/v1/health.js';
import type { CallContext, ServiceConnection } from './service-connection.js';

/** Calls the service. Every method rejects with RpcError. */
export class AuthClient {
  readonly #connection: ServiceConnection;
  readonly #auth: AuthServiceClient;
  readonly #health: HealthClient;

  constructor(connection: ServiceConnection) {
    this.#connection = connection;
    this.#auth = connection.client(AuthServiceClient);
    this.#health = connection.client(HealthClient);
  }

  /** @returns the next pair; undefined if the service broke its contract and sent none */
  async refresh(refreshToken: string, context: CallContext): Promise<TokenPair | undefined> {
    const { tokens } = await this.#connection.call<RefreshTokenResponse>(AUTH.refreshToken, context, (...call) =>
      this.#auth.refreshToken({ refreshToken }, ...call),
    );
    return tokens;
  }

  async logout(request: LogoutRequest, context: CallContext): Promise<void> {
    await this.#connection.call<LogoutResponse>(AUTH.logout, context, (...call) => this.#auth.logout(request, ...call));
  }

  /** Whether a token of either kind is active, and the response that says so. */
  introspect(request: IntrospectTokenRequest, context: CallContext): Promise<IntrospectTokenResponse> {
    return this.#connection.call<IntrospectTokenResponse>(AUTH.introspectToken, context, (...call) =>
      this.#auth.introspectToken(request, ...call),
    );
  }

  /** The public keys, and how long a client may cache them. */
  keySet(context: CallContext): Promise<GetJsonWebKeySetResponse> {
    return this.#connection.call<GetJsonWebKeySetResponse>(AUTH.getJsonWebKeySet, context, (...call) =>
      this.#auth.getJsonWebKeySet({}, ...call),
    );
  }

  /** Opens a stream of what ends access tokens. It has no deadline. */
  watchRevocations(): ClientDuplexStream<WatchRevocationsRequest, WatchRevocationsResponse> {
    return this.#auth.watchRevocations();
  }

  /** Whether the health service reports SERVING. */
  async isServing(context: CallContext): Promise<boolean> {
    const response = await this.#connection.call<HealthCheckResponse>(HealthService.check, context, (...call) =>
      this.#health.check({ service: '' }, ...call),
    );
    return response.status === HealthCheckResponse_ServingStatus.SERVING;
  }
}
