// The composition of the service: it connects adapters to ports, and starts and stops everything in order.

import { createHash, randomBytes } from 'node:crypto';
import { tokenMemory } from '../adapters/lru/token-memory.js';
import { Births } from '../core/durability/births.js';
import { GuardedStore } from '../core/durability/guarded-store.js';
import { Ledger } from '../core/durability/ledger.js';
import { Revocations } from '../core/events/revocations.js';
import { logWindowMs } from '../core/feed/limits.js';
import type { RevocationLogs, Store } from '../core/ports.js';
import { LatestSessionStart } from '../core/session/latest-session-start.js';
import type { Verified } from '../core/session/verified-token.js';
import { GrpcServer } from '../grpc/server.js';
import { DEFAULT_LIMITS } from '../grpc/transport/limits.js';
import type { Address } from '../platform/env.js';
import type { Logger } from '../platform/log.js';
import type { Meter } from '../platform/metrics/meter.js';
import { logGrpcTo } from '../platform/output/grpc-log.js';
import { Certificates } from '../platform/tls/certificates.js';
import type { Tracing } from '../platform/tracing.js';
import type { ServiceSettings } from '../settings/service.js';
import type { StoreSettings } from '../settings/store.js';
import { makeFeed } from './feed.js';
import { issuerOf, warnExposed } from './issuers.js';
import { openKeys } from './keys.js';
import { countEnds, countSetbacks, measureCache, measureKeyAge, measureStore } from './metrics.js';
import { keepComplete, openStore, untilReachable, waitForStore } from './store.js';
import { traceStore } from './store-traces.js';

/** How long calls under way may take when the service stops. */
const STOP_MS = 5_000;

/** The log message about a store that has lost writes. */
const SETBACK =
  'the store has lost writes: those that this process acknowledged since sinceMs were restored; writes that were ' +
  'acknowledged earlier, or by processes that have ended, may be lost';

export interface Service {
  /** The addresses with their actual ports: AuthService's first, then IssuerService's if that is separate. */
  readonly addresses: readonly Address[];
  /** Resolves once the store has been reachable. */
  readonly served: Promise<void>;
  /** Whether the store has been reachable once. */
  readonly hasServed: boolean;
  /** Whether the store is reachable now. */
  readonly reachesStore: boolean;
  /** Calls back when the store becomes reachable or unreachable. */
  watchStore(listener: (isReachable: boolean) => void): void;
  /** Waits for calls under way, then closes everything. */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  /** The number of this worker, if there are several. */
  readonly worker?: number | undefined;
  /** Undefined: nothing is measured. */
  readonly meter?: Meter | undefined;
  /** Undefined: nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/**
 * Starts the service.
 * @throws KeyFileError, TlsFileError, UnsafeStore, or an Error that says which address cannot be listened on
 */
export async function startService(
  settings: ServiceSettings,
  log: Logger,
  { worker, meter, tracing }: ServiceOptions = {},
): Promise<Service> {
  const { policy, grpc, tls, extAuthz, maxConcurrentCalls, grpcPorts } = settings;
  logGrpcTo(log);
  const owned = await openKeys(settings.keys, log);
  const { keys } = owned;
  warnExposed(settings, log);
  const certificates = tls.files && new Certificates(tls.files, log);
  const windowMs = logWindowMs(policy.accessTtlMs);
  const { store: ownStore, opened } = await openStore(settings.store, windowMs, log);
  const store = observe(ownStore, settings.store, tracing, meter);
  try {
    await waitForStore(opened, log);
    const births = new Births(store, policy.adoptedSinceMs);
    const ledger = makeLedger(store, log, meter);
    const revocations = new Revocations((err) => log.error({ err }, 'a listener of ended sessions failed'));
    if (meter) countEnds(revocations, meter);
    if (meter) measureKeyAge(owned.signingSinceMs, meter);
    const guarded = new GuardedStore({ store, births, ledger, revocations });
    await keepComplete(guarded, policy.adoptedSinceMs !== undefined, log);
    const crypto = { randomBytes, sha256: (text: string) => createHash('sha256').update(text).digest() };
    const issuer = issuerOf(settings);
    const memory = tokenMemory<Verified>(settings.verifiedTokens);
    const verified = meter ? measureCache(memory, meter) : memory;
    const context = { store: guarded, keys, crypto, policy, latestStart: new LatestSessionStart(), verified };
    const { maxWatchers } = settings;
    const feed = makeFeed({ store, births, ledger, revocations, keys, policy, crypto, maxWatchers }, log, meter);
    const server = new GrpcServer(context, log, {
      ...{ address: grpc, issuer, feed, extAuthz, certificates, maxConcurrentCalls, worker, meter, tracing },
      limits: { ...DEFAULT_LIMITS, ...grpcPorts },
      reflection: grpcPorts.reflection,
    });
    const addresses = await server.listen();
    const kinds = { store: settings.store.kind, issuer: issuer !== undefined, tls: certificates !== undefined };
    owned.watch();
    log.info({ addresses, ...kinds }, 'service listening');
    return serviceOf(store, addresses, async () => {
      await server.stop(STOP_MS);
      certificates?.close();
      owned.close();
      await ownStore.close();
      log.info({}, 'service stopped');
    });
  } catch (error) {
    certificates?.close();
    await ownStore.close();
    throw error;
  }
}

/** The store with spans and metrics of its operations, where those are on. */
function observe(
  store: Store & RevocationLogs,
  settings: StoreSettings,
  tracing: Tracing | undefined,
  meter: Meter | undefined,
): Store & RevocationLogs {
  const waits = settings.kind === 'redis' && settings.minReplicas > 0;
  const traced = tracing ? traceStore(store, tracing, settings.kind, waits) : store;
  return meter ? measureStore(traced, meter, waits) : traced;
}

/** The ledger, whose reports of lost writes are logged and counted. */
function makeLedger(store: Store, log: Logger, meter: Meter | undefined): Ledger {
  const count = meter && countSetbacks(meter);
  return new Ledger(store, (setback) => {
    count?.(setback);
    log.error({ ...setback }, SETBACK);
  });
}

function serviceOf(store: Store, addresses: readonly Address[], stop: () => Promise<void>): Service {
  let hasServed = store.reachableSinceMs !== undefined;
  const served = untilReachable(store).then(() => {
    hasServed = true;
  });
  return {
    addresses,
    served,
    get hasServed() {
      return hasServed;
    },
    get reachesStore() {
      return store.reachableSinceMs !== undefined;
    },
    watchStore: (listener) => void store.watch(listener),
    stop,
  };
}
