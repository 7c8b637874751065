// A connection to the service: each RPC as a promise, bounded in time. Knows nothing of HTTP.

import {
  type CallOptions,
  Channel,
  type ChannelCredentials,
  type ClientOptions,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { CLIENT_CHANNEL } from '../src/platform/client-channel.js';
import { type Address, formatAddress } from '../src/platform/env.js';
import { channelCredentials, type TlsPeer } from '../src/platform/tls/channel.js';
import { explainClosed } from '../src/platform/tls/failure.js';
import { readStatusDetails, type StatusDetails } from './status-details.js';

/** How a call ended. */
export interface CallEnd {
  /** The name of its gRPC status code. */
  readonly code: string;
  /** The text of the status, from the service or from the library. */
  readonly details: string;
}

/** The circumstances of a call. */
export interface CallContext {
  /** Sent as the metadata `x-request-id`. */
  readonly requestId: string;
  /** Called when a call begins. @param method `package.Service/Method`. @returns the metadata that name its trace */
  beginCall(method: string): Readonly<Record<string, string>>;
  /** Called once, when the call has ended. */
  onEnd(end: CallEnd): void;
}

/** A failed call. Its `cause` is the error of the gRPC library. */
export class RpcError extends Error {
  readonly code = 'RPC_ERROR';
  override readonly name = 'RpcError';
  readonly status: status;
  readonly details: StatusDetails;

  constructor(cause: ServiceError) {
    super(`the call to the service failed: ${cause.message}`, { cause });
    this.status = cause.code;
    this.details = readStatusDetails(cause.metadata);
  }
}

/** A method of a service, as the generated code defines it. */
export interface Method {
  /** `/package.Service/Method`. */
  readonly path: string;
}

/** One unary method of a generated client. */
export type Invoke<Response> = (
  metadata: Metadata,
  options: CallOptions,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

export class ServiceConnection {
  readonly #target: string;
  readonly #credentials: ChannelCredentials;
  readonly #channel: Channel;
  readonly #callMs: number;
  readonly #tls: boolean;

  /**
   * @param callMs how long a call may take, from its start to its response, including the time to connect
   * @param peer the TLS identity of the service; undefined: plain text
   */
  constructor(address: Address, callMs: number, peer?: TlsPeer) {
    this.#target = formatAddress(address);
    this.#credentials = channelCredentials(peer);
    this.#channel = new Channel(this.#target, this.#credentials, CLIENT_CHANNEL);
    this.#callMs = callMs;
    this.#tls = peer !== undefined;
  }

  /** A generated client on this connection. */
  client<Client>(
    type: new (target: string, credentials: ChannelCredentials, options: Partial<ClientOptions>) => Client,
  ): Client {
    return new type(this.#target, this.#credentials, { channelOverride: this.#channel });
  }

  /** Starts to connect, so that the first call does not wait for the connection. */
  connect(): void {
    this.#channel.getConnectivityState(true);
  }

  /** Closes the connection. Calls under way fail. */
  close(): void {
    this.#channel.close();
  }

  /** @param credential the bearer credential of the caller, if the method needs one @throws RpcError */
  call<Response>(
    { path }: Method,
    context: CallContext,
    invoke: Invoke<Response>,
    credential?: string,
  ): Promise<Response> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(context.beginCall(path.slice(1)))) metadata.set(name, value);
    metadata.set('x-request-id', context.requestId);
    if (credential !== undefined) metadata.set('authorization', `Bearer ${credential}`);
    return new Promise((resolve, reject) => {
      const onResponse = (error: ServiceError | null, response: Response): void => {
        context.onEnd({
          code: status[error?.code ?? status.OK],
          details: error ? explainClosed(error.details, this.#tls) : '',
        });
        if (error) reject(new RpcError(error));
        else resolve(response);
      };
      withoutStackTrace(() => invoke(metadata, { deadline: Date.now() + this.#callMs }, onResponse));
    });
  }
}

/**
 * Starts a call. The generated client captures the caller's stack at the start of every call, for an error that most
 * calls never have: a tenth of the gateway's processor time. `stackTraceLimit` is V8's public setting for that.
 */
function withoutStackTrace(start: () => void): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    start();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
