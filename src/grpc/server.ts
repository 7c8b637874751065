// The gRPC server: what is registered on it, its limits, and how it stops.

import type { Context } from '../core/context.js';
import type { Address } from '../env.js';
import type { Logger } from '../log.js';
import type { Certificates } from '../tls/certificates.js';
import { Admission } from './admission.js';
import { authService } from './auth-service.js';
import { decodingFaults } from './decoding.js';
import { AUTH_SERVICE, ISSUER_SERVICE } from './encoding.js';
import { Health } from './health.js';
import { type IssuerCallers, issuerGuard } from './issuer-guard.js';
import { issuerRefusal, issuerService } from './issuer-service.js';
import { shedding } from './overload.js';
import { Reflection } from './reflection.js';
import { DEFAULT_LIMITS, type TransportLimits } from './transport/limits.js';
import { Routes } from './transport/routes.js';
import { Transport } from './transport/transport.js';
import { Unary } from './unary.js';
import { checkWireClaims } from './wire-claims.js';

/** A thousand tokens of the usual size, or one or two of any, and room for a clear answer to what is too large. */
const MAX_REQUEST_BYTES = 1024 * 1024;
/** The name of a service. */
const MAX_HEALTH_REQUEST_BYTES = 4 * 1024;
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
  /** The most calls that may be under way. */
  readonly maxConcurrentCalls: number;
  readonly limits?: TransportLimits;
  /** Whether reflection is answered. */
  readonly reflection?: boolean;
  /** Which of several processes on one port this is. */
  readonly worker?: number | undefined;
}

export class GrpcServer {
  readonly #log: Logger;
  readonly #unary: Unary;
  readonly #health: Health;
  readonly #admission: Admission;
  readonly #transport: Transport;
  readonly #reflection: Reflection | undefined;

  constructor(context: Context, log: Logger, options: GrpcOptions) {
    const { address, issuer, certificates, maxConcurrentCalls, worker, limits = DEFAULT_LIMITS } = options;
    this.#log = log;
    this.#admission = new Admission(log, { maxConcurrentCalls });
    this.#unary = new Unary(log, this.#admission);
    this.#transport = new Transport(log, limits, certificates);
    this.#reflection = options.reflection === false ? undefined : new Reflection(this.#admission);
    const apart = issuer?.address;
    this.#health = new Health(context.store, issuer ? [AUTH, ISSUER] : [AUTH], worker);
    const auth = this.#makeRoutes(issuer && !apart ? [AUTH, ISSUER] : [AUTH]);
    const rules = { maxRequestBytes: MAX_REQUEST_BYTES, admission: shedding(this.#admission) };
    auth.add(decodingFaults(AUTH_SERVICE), authService(context, this.#unary), rules);
    this.#transport.add('GRPC_ADDRESS', address, auth.all);
    if (!issuer) return;
    const issuing = apart ? this.#makeRoutes([ISSUER]) : auth;
    const definition = decodingFaults(ISSUER_SERVICE, { issueToken: checkWireClaims });
    issuing.add(definition, issuerService(context, this.#unary), {
      ...rules,
      onHead: issuerRefusal(this.#unary, issuerGuard(issuer)),
    });
    if (apart) this.#transport.add('ISSUER_ADDRESS', apart, issuing.all);
  }

  /** Starts to listen. @returns the addresses, with the ports that were given; AuthService's first. @throws AddressUnusable */
  listen(): Promise<readonly Address[]> {
    return this.#transport.listen();
  }

  /** Lets the calls under way end, takes no others, and after `graceMs` stops by force. */
  async stop(graceMs: number): Promise<void> {
    this.#health.retire();
    const drained = this.#transport.close();
    // Streams of health and reflection have no end of their own: only calls are waited for.
    const ended = this.#admission.idle().then(() => Promise.race([drained, after(FLUSH_MS)]));
    if ((await Promise.race([ended, after(graceMs, 'late')])) === 'late') {
      this.#log.warn({ graceMs }, 'calls were still under way at the end of the grace time: stopping by force');
    }
    this.#transport.destroy();
    this.#admission.close();
  }

  #makeRoutes(services: readonly string[]): Routes {
    const routes = new Routes();
    routes.add(this.#health.definition, this.#health.handlers, { maxRequestBytes: MAX_HEALTH_REQUEST_BYTES });
    this.#reflection?.addTo(routes, [...services, HEALTH]);
    return routes;
  }
}

const after = <T>(ms: number, value?: T): Promise<T | undefined> =>
  new Promise((resolve) => setTimeout(resolve, ms, value).unref());
