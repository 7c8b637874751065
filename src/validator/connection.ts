// The connection to one address of the service, and its calls: each as a promise, bounded in time.

import {
  type CallOptions,
  Channel,
  type ChannelOptions,
  type ClientDuplexStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import {
  AuthServiceClient,
  type GetJsonWebKeySetResponse,
  type ValidateTokensResponse,
  type WatchRevocationsRequest,
  type WatchRevocationsResponse,
} from '../../proto/gen/auth/v1/auth_service.js';
import { RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { CLIENT_CHANNEL } from '../platform/client-channel.js';
import { type Address, formatAddress } from '../platform/env/values.js';
import { retryDelayMs } from '../platform/retry-delay.js';
import { channelCredentials, type TlsPeer } from '../platform/tls/channel.js';
import { explainClosed } from '../platform/tls/failure.js';
import type { Failure } from './retry.js';

const OPTIONS: ChannelOptions = {
  ...CLIENT_CHANNEL,
  // All IP addresses of a host name, in turn.
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  'grpc.service_config_disable_resolution': 1,
  // A thousand results, each with the largest audience that a token has room for.
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
};

/** A failed call. */
export class ServiceCallFailed extends Error {
  override readonly name = 'ServiceCallFailed';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.reason);
    this.failure = failure;
  }
}

type Callback<Response> = (error: ServiceError | null, response: Response) => void;
type Invoke<Response> = (options: CallOptions, callback: Callback<Response>) => ClientUnaryCall;

export class Connection {
  readonly #address: string;
  readonly #channel: Channel;
  readonly #client: AuthServiceClient;
  readonly #tls: boolean;
  /** The server that has answered first at this address. */
  #peer: string | undefined;
  #hasSeveralPeers = false;

  /** @param peer the TLS identity of the service; undefined: plain text */
  constructor(address: Address, peer: TlsPeer | undefined) {
    this.#address = formatAddress(address);
    const credentials = channelCredentials(peer);
    this.#channel = new Channel(this.#address, credentials, OPTIONS);
    this.#client = new AuthServiceClient(this.#address, credentials, { channelOverride: this.#channel });
    this.#tls = peer !== undefined;
    this.#channel.getConnectivityState(true);
  }

  /** Whether several servers have answered at this address, so that a next call goes to another one. */
  get hasSeveralPeers(): boolean {
    return this.#hasSeveralPeers;
  }

  /** @throws ServiceCallFailed */
  validateTokens(accessTokens: string[], timeoutMs: number): Promise<ValidateTokensResponse> {
    // The claims are in the tokens.
    const request = { accessTokens, includeClaims: false };
    return this.#call(timeoutMs, (options, done) =>
      this.#client.validateTokens(request, new Metadata(), options, done),
    );
  }

  /** @throws ServiceCallFailed */
  keySet(timeoutMs: number): Promise<GetJsonWebKeySetResponse> {
    return this.#call(timeoutMs, (options, done) => this.#client.getJsonWebKeySet({}, new Metadata(), options, done));
  }

  /** Opens a stream of the revocation feed, which lasts until one side ends it. */
  watchRevocations(): ClientDuplexStream<WatchRevocationsRequest, WatchRevocationsResponse> {
    return this.#client.watchRevocations(new Metadata());
  }

  /** Why a call or a stream failed. */
  failureOf({ code, details, metadata }: ServiceError): Failure {
    const retryAfterMs = retryAfterIn(metadata);
    const text = explainClosed(details, this.#tls).replace(/\.? ?Resolution note:.*$/s, '');
    return { kind: kindOf(code, retryAfterMs), reason: `${this.#address}: ${status[code]}: ${text}`, retryAfterMs };
  }

  /** Ends all calls. */
  close(): void {
    this.#channel.close();
  }

  #call<Response>(timeoutMs: number, invoke: Invoke<Response>): Promise<Response> {
    return new Promise((resolve, reject) => {
      // Never by a step of the wall clock: the library compares this time with the clock once, when the call starts.
      const call = invoke({ deadline: Date.now() + timeoutMs }, (error, response) => {
        if (error) return reject(new ServiceCallFailed(this.failureOf(error)));
        this.#notePeer(call.getPeer());
        resolve(response);
      });
    });
  }

  #notePeer(peer: string): void {
    this.#peer ??= peer;
    this.#hasSeveralPeers ||= peer !== this.#peer;
  }
}

function kindOf(code: status, retryAfterMs: number | undefined): Failure['kind'] {
  if (code === status.RESOURCE_EXHAUSTED) return 'overloaded';
  if (code === status.UNAVAILABLE) return retryAfterMs === undefined ? 'unreachable' : 'unavailable';
  return code === status.DEADLINE_EXCEEDED ? 'unreachable' : 'broken';
}

/** The google.rpc.RetryInfo of a failed call, ms; undefined: there is none that can be read. */
function retryAfterIn(metadata: Metadata): number | undefined {
  const [packed] = metadata.get('grpc-status-details-bin');
  if (!(packed instanceof Buffer)) return undefined;
  try {
    const found = Status.decode(packed).details.find(({ typeUrl }) => typeUrl.endsWith('/google.rpc.RetryInfo'));
    return found && retryDelayMs(RetryInfo.decode(found.value));
  } catch {
    return undefined;
  }
}
