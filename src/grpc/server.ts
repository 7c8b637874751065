// The gRPC server: its services, its limits, and how it stops.

import type { Context } from '../core/context.js';
import type { Address } from '../platform/env.js';
import type { Logger } from '../platform/log.js';
import type { Meter } from '../platform/metrics/meter.js';
import type { Certificates } from '../platform/tls/certificates.js';
import type { Tracing } from '../platform/tracing.js';
import { Admission } from './admission/admission.js';
import { callAdmission } from './admission/call-admission.js';
import { CallMetrics } from './call-metrics.js';
import { withDecodeErrors } from './codec/decoding.js';
import { AUTH_SERVICE, ISSUER_SERVICE, WATCH_SERVICE } from './codec/encoding.js';
import { checkWireClaims } from './codec/wire-claims.js';
import type { Feed } from './feed/feed.js';
import { authService } from './services/auth-service.js';
import { EXT_AUTHZ_SERVICE, type ExtAuthzOptions, extAuthzService, MAX_CHECK_BYTES } from './services/ext-authz.js';
import { Health } from './services/health.js';
import { type IssuerCallers, issuerGuard } from './services/issuer-guard.js';
import { checkIssuerCaller, issuerService } from './services/issuer-service.js';
import { Reflection } from './services/reflection.js';
import { MAX_WATCH_REQUEST_BYTES, watchRevocations } from './services/watch-revocations.js';
import { DEFAULT_LIMITS, type TransportLimits } from './transport/limits.js';
import { methodOf } from './transport/method.js';
import { Routes } from './transport/routes.js';
import { Transport } from './transport/transport.js';
import { UnaryHandlers } from './unary-handlers.js';

/** Room for a thousand tokens of the usual size, and for slightly oversized requests, which get a clear error. */
const MAX_REQUEST_BYTES = 1024 * 1024;
/** Room for the name of a service. */
const MAX_HEALTH_REQUEST_BYTES = 4 * 1024;
/** How long the response of the last call may take to leave, once the call has ended. */
const FLUSH_MS = 100;

const CALLS_SHED = { name: 'latchkey_calls_shed_total', help: 'Calls that were refused because of overload' };

/** The methods of all services but health and reflection, whose callers ask about this process alone. */
const METHODS = [AUTH_SERVICE, ISSUER_SERVICE, EXT_AUTHZ_SERVICE]
  .flatMap((service) => Object.values(service))
  .map(({ path }) => methodOf(path));

const AUTH = 'auth.v1.AuthService';
const ISSUER = 'auth.v1.IssuerService';
const EXT_AUTHZ = 'envoy.service.auth.v3.Authorization';
const HEALTH = 'grpc.health.v1.Health';

/** IssuerService: its allowed callers, and its own address if it has one. */
export interface IssuerOptions extends IssuerCallers {
  readonly address: Address | undefined;
}

export interface GrpcOptions {
  readonly address: Address;
  readonly issuer: IssuerOptions | undefined;
  /** What WatchRevocations streams. */
  readonly feed: Feed;
  /** Envoy's external authorization at `address`; undefined: it is not served. */
  readonly extAuthz?: ExtAuthzOptions | undefined;
  /** For all listeners; undefined: plain text. */
  readonly certificates?: Certificates | undefined;
  /** The most concurrent calls. */
  readonly maxConcurrentCalls: number;
  readonly limits?: TransportLimits;
  /** Whether reflection is served. Default true. */
  readonly reflection?: boolean;
  /** Undefined: nothing is counted. */
  readonly meter?: Meter | undefined;
  /** Undefined: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** The number of this worker, if several share the port. */
  readonly worker?: number | undefined;
}

export class GrpcServer {
  readonly #log: Logger;
  readonly #unary: UnaryHandlers;
  readonly #health: Health;
  readonly #admission: Admission;
  readonly #transport: Transport;
  readonly #reflection: Reflection | undefined;
  readonly #feed: Feed;

  constructor(context: Context, log: Logger, options: GrpcOptions) {
    const {
      address,
      issuer,
      certificates,
      maxConcurrentCalls,
      worker,
      meter,
      tracing,
      limits = DEFAULT_LIMITS,
    } = options;
    this.#log = log;
    this.#feed = options.feed;
    this.#admission = new Admission(log, { maxConcurrentCalls, refused: meter?.counter(CALLS_SHED) });
    const metrics = meter && new CallMetrics(meter, METHODS);
    this.#unary = new UnaryHandlers(log, this.#admission, { metrics, tracing });
    this.#transport = new Transport(log, limits, certificates);
    this.#reflection = options.reflection === false ? undefined : new Reflection(this.#admission);
    const issuerAddress = issuer?.address;
    const open = options.extAuthz ? [AUTH, EXT_AUTHZ] : [AUTH];
    this.#health = new Health(context.store, issuer ? [...open, ISSUER] : open, worker);
    const auth = this.#makeRoutes(issuer && !issuerAddress ? [...open, ISSUER] : open);
    const rules = { maxRequestBytes: MAX_REQUEST_BYTES, admission: callAdmission(this.#admission) };
    auth.add(withDecodeErrors(AUTH_SERVICE), authService(context, this.#unary, { metrics, tracing }), rules);
    // A stream lasts, so it takes no place of a call: the feed limits streams by itself.
    const watch = { watchRevocations: watchRevocations(this.#feed) };
    auth.add(withDecodeErrors(WATCH_SERVICE), watch, { maxRequestBytes: MAX_WATCH_REQUEST_BYTES, isLasting: true });
    if (options.extAuthz) {
      const handlers = extAuthzService(context, this.#unary, options.extAuthz, metrics);
      auth.add(withDecodeErrors(EXT_AUTHZ_SERVICE), handlers, { ...rules, maxRequestBytes: MAX_CHECK_BYTES });
    }
    this.#transport.add('GRPC_ADDRESS', address, auth.all);
    if (!issuer) return;
    const issuerRoutes = issuerAddress ? this.#makeRoutes([ISSUER]) : auth;
    const definition = withDecodeErrors(ISSUER_SERVICE, { issueToken: checkWireClaims });
    issuerRoutes.add(definition, issuerService(context, this.#unary), {
      ...rules,
      onHead: checkIssuerCaller(this.#unary, issuerGuard(issuer)),
    });
    if (issuerAddress) this.#transport.add('ISSUER_ADDRESS', issuerAddress, issuerRoutes.all);
  }

  /** Starts to listen. @returns the addresses with their actual ports, AuthService's first. @throws AddressUnusable */
  listen(): Promise<readonly Address[]> {
    return this.#transport.listen();
  }

  /** Accepts no more calls, waits for those under way, and after `graceMs` stops by force. */
  async stop(graceMs: number): Promise<void> {
    this.#health.retire();
    this.#feed.stop();
    const drained = this.#transport.close();
    // Streams of health and reflection may never end, so the stop waits for unary calls only.
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
