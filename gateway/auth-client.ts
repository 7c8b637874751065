// Owns the connection to the service: its contract as promises, each call bounded in time. Knows nothing of HTTP.

import { Channel, type ChannelOptions, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  AuthServiceService,
  type GetJsonWebKeySetResponse,
  type LogoutRequest,
} from '../proto/gen/auth/v1/auth_service.js';
import type { TokenPair } from '../proto/gen/auth/v1/token.js';
import { HealthCheckResponse_ServingStatus, HealthService } from '../proto/gen/grpc/health/v1/health.js';
import { type Address, formatAddress } from '../src/env.js';
import { channelCredentials, type TlsPeer } from '../src/tls/channel.js';
import { explainClosed } from '../src/tls/failure.js';
import { type Details, readDetails } from './status-details.js';
import { callUnary, errorOf, type Method } from './unary-call.js';

const OPTIONS: ChannelOptions = {
  // A service that returns is found again within two seconds, also under a new address.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  // A peer that is gone without a word is found out by pings within two seconds, not by TCP after minutes; the calls
  // themselves end before they could find it. A peer too slow for a ping is too slow for a call as well.
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 1_000,
  'grpc.keepalive_permit_without_calls': 1,
  // A connection of our own, closed when we close; and none that `http_proxy` in the environment could divert.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  // Counts and times of each call and message, for a service of gRPC's that nobody can ask here.
  'grpc.enable_channelz': 0,
};

/** How a call ended. */
export interface CallEnd {
  /** The name of its gRPC status code. */
  readonly code: string;
  /** What the service, or the library, says about it; for people. */
  readonly details: string;
}

/** The circumstances of a call. */
export interface CallContext {
  /** Goes along as the metadata `x-request-id`. */
  readonly requestId: string;
  /** Hears how the call ended. */
  ended(end: CallEnd): void;
}

/** A call failed; its `cause` is the gRPC library's error. */
export class CallFailed extends Error {
  readonly code = 'CALL_FAILED';
  override readonly name = 'CallFailed';
  readonly status: status;
  readonly details: Details;

  constructor(failure: ServiceError) {
    super(`the call of the service failed: ${failure.message}`, { cause: failure });
    this.status = failure.code;
    this.details = readDetails(failure.metadata);
  }
}

/** Calls the service. Every method rejects with CallFailed. */
export class AuthClient {
  readonly #channel: Channel;
  readonly #callMs: number;
  readonly #tls: boolean;

  /**
   * @param callMs how long a call may take, from its start to its answer, connecting included
   * @param peer whom to expect; undefined: anybody, in plain text
   */
  constructor(address: Address, callMs: number, peer?: TlsPeer) {
    this.#channel = new Channel(formatAddress(address), channelCredentials(peer), OPTIONS);
    this.#callMs = callMs;
    this.#tls = peer !== undefined;
  }

  /** Begins to connect, so that the first call need not wait for it. */
  connect(): void {
    this.#channel.getConnectivityState(true);
  }

  /** @returns the next pair; undefined if the service broke its contract and sent none */
  async refresh(refreshToken: string, context: CallContext): Promise<TokenPair | undefined> {
    const { tokens } = await this.#call(AuthServiceService.refreshToken, { refreshToken }, context);
    return tokens;
  }

  async logout(request: LogoutRequest, context: CallContext): Promise<void> {
    await this.#call(AuthServiceService.logout, request, context);
  }

  /** The public keys, and for how long they may be kept. */
  keySet(context: CallContext): Promise<GetJsonWebKeySetResponse> {
    return this.#call(AuthServiceService.getJsonWebKeySet, {}, context);
  }

  /** Whether the service says that it can serve. */
  async isServing(context: CallContext): Promise<boolean> {
    const answer = await this.#call(HealthService.check, { service: '' }, context);
    return answer.status === HealthCheckResponse_ServingStatus.SERVING;
  }

  /** Closes the connection. Calls under way fail. */
  close(): void {
    this.#channel.close();
  }

  #call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    context: CallContext,
  ): Promise<Response> {
    const metadata = new Metadata();
    metadata.set('x-request-id', context.requestId);
    const settings = { metadata, deadline: Date.now() + this.#callMs };
    return new Promise((resolve, reject) => {
      callUnary(this.#channel, method, request, settings, ({ failure, answer }) => {
        context.ended({
          code: status[failure?.code ?? status.OK],
          details: explainClosed(failure?.details ?? '', this.#tls),
        });
        if (failure) reject(new CallFailed(errorOf(failure)));
        else resolve(answer);
      });
    });
  }
}
