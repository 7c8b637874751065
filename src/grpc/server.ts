// Owns the gRPC server: what is registered on it, its limits, and how it stops.

import { Server, type ServerCredentials } from '@grpc/grpc-js';
import { AddressUnusable } from '../address-unusable.js';
import type { Context } from '../core/context.js';
import { type Address, formatAddress } from '../env.js';
import type { Logger } from '../log.js';
import type { Certificates } from '../tls/certificates.js';
import { authService } from './auth-service.js';
import { serverCredentials } from './credentials.js';
import { decodingFaults } from './decoding.js';
import { AUTH_SERVICE, ISSUER_SERVICE } from './encoding.js';
import { Health } from './health.js';
import { type IssuerCallers, issuerGuard } from './issuer-guard.js';
import { issuerService } from './issuer-service.js';
import { Overload } from './overload.js';
import { addReflection } from './reflection.js';
import { Unary } from './unary.js';
import { checkWireClaims } from './wire-claims.js';

/** A thousand tokens of the usual size, or one or two of any, and room for a clear answer to what is too large. */
const MAX_REQUEST_BYTES = 1024 * 1024;
/** Calls under way on one connection; more wait at the client. The least that RFC 9113 recommends, section 6.5.2. */
const MAX_STREAMS = 100;
/** A connection that has been silent for so long is asked whether it is alive, so that dead peers go. */
const KEEPALIVE_MS = 60_000;
/** After the last call has ended, how long its answer may take to leave. */
const FLUSH_MS = 100;

const AUTH = 'auth.v1.AuthService';
const ISSUER = 'auth.v1.IssuerService';
const HEALTH = 'grpc.health.v1.Health';

/** The login back end's service: who may call it, and its own address where it has one. */
export interface IssuerOptions extends IssuerCallers {
  readonly address: Address | undefined;
}

export interface GrpcOptions {
  readonly address: Address;
  readonly issuer: IssuerOptions | undefined;
  /** For all listeners; undefined: plain text. */
  readonly certificates?: Certificates | undefined;
  /** The size of a burst that is taken, and the most calls that may be under way. */
  readonly maxConcurrentCalls: number;
  /** Which of several processes on one port this is. */
  readonly worker?: number | undefined;
}

interface Listener {
  readonly server: Server;
  readonly address: Address;
  /** The setting that holds the address. */
  readonly variable: string;
}

export class GrpcServer {
  readonly #log: Logger;
  readonly #unary: Unary;
  readonly #health: Health;
  readonly #credentials: ServerCredentials;
  readonly #overload: Overload;
  readonly #listeners: Listener[];

  constructor(context: Context, log: Logger, options: GrpcOptions) {
    const { address, issuer, certificates, maxConcurrentCalls, worker } = options;
    this.#log = log;
    this.#credentials = serverCredentials(certificates);
    this.#overload = new Overload(log, { maxConcurrentCalls, underWay: () => this.#unary.underWay });
    this.#unary = new Unary(log, this.#overload);
    const apart = issuer?.address;
    this.#health = new Health(context.store, issuer ? [AUTH, ISSUER] : [AUTH], worker);
    const auth = this.#makeServer(issuer && !apart ? [AUTH, ISSUER] : [AUTH]);
    auth.addService(decodingFaults(AUTH_SERVICE), authService(context, this.#unary));
    this.#listeners = [{ server: auth, address, variable: 'GRPC_ADDRESS' }];
    if (!issuer) return;
    const issuing = apart ? this.#makeServer([ISSUER]) : auth;
    const definition = decodingFaults(ISSUER_SERVICE, { issueToken: checkWireClaims });
    issuing.addService(definition, issuerService(context, this.#unary, issuerGuard(issuer)));
    if (apart) this.#listeners.push({ server: issuing, address: apart, variable: 'ISSUER_ADDRESS' });
  }

  /** Starts to listen. @returns the addresses, with the ports that were given; AuthService's first */
  async listen(): Promise<readonly Address[]> {
    const addresses: Address[] = [];
    // In turn: where several processes are given ports by chance, it is the order that tells which port is whose.
    for (const listener of this.#listeners) {
      addresses.push({ ...listener.address, port: await bind(listener, this.#credentials) });
    }
    return addresses;
  }

  /** Lets the calls under way end, takes no others, and after `graceMs` stops by force. */
  async stop(graceMs: number): Promise<void> {
    this.#health.retire();
    const servers = this.#listeners.map(({ server }) => server);
    const drained = Promise.all(servers.map((server) => new Promise((resolve) => server.tryShutdown(resolve))));
    // Streams of health and reflection have no end of their own: only calls are waited for.
    const ended = this.#unary.idle().then(() => Promise.race([drained, after(FLUSH_MS)]));
    if ((await Promise.race([ended, after(graceMs, 'late')])) === 'late') {
      this.#log.warn({ graceMs }, 'calls were still under way at the end of the grace time: stopping by force');
    }
    for (const server of servers) server.forceShutdown();
    this.#overload.close();
  }

  #makeServer(services: readonly string[]): Server {
    const server = new Server({
      'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
      'grpc.max_concurrent_streams': MAX_STREAMS,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      interceptors: [this.#overload.interceptor],
    });
    this.#health.addTo(server);
    addReflection(server, [...services, HEALTH]);
    return server;
  }
}

const bind = ({ server, address, variable }: Listener, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(formatAddress(address), credentials, (error, port) =>
      error ? reject(new AddressUnusable(variable, address, error)) : resolve(port),
    );
  });

const after = <T>(ms: number, value?: T): Promise<T | undefined> =>
  new Promise((resolve) => setTimeout(resolve, ms, value).unref());
