// The composition of the service: it connects adapters to ports, and starts and stops everything in order.

import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import { JwtKeys } from './adapters/jwt/jwt-keys.js';
import { KeyRing } from './adapters/jwt/key-ring.js';
import { keyFromSecret } from './adapters/jwt/signing-key.js';
import { tokenMemory } from './adapters/lru/token-memory.js';
import { UnsafeStore } from './adapters/redis/unsafe-store.js';
import { Births } from './core/durability/births.js';
import { GuardedStore } from './core/durability/guarded-store.js';
import { Ledger } from './core/durability/ledger.js';
import { Revocations } from './core/events/revocations.js';
import { logWindowMs } from './core/feed/limits.js';
import type { Keys, RevocationLogs, Store } from './core/ports.js';
import { LatestSessionStart } from './core/session/latest-session-start.js';
import type { Verified } from './core/session/verified-token.js';
import { GrpcServer, type IssuerOptions } from './grpc/server.js';
import { DEFAULT_LIMITS } from './grpc/transport/limits.js';
import type { Address } from './platform/env.js';
import type { Logger } from './platform/log.js';
import type { Meter } from './platform/metrics/meter.js';
import { logGrpcTo } from './platform/output/grpc-log.js';
import { Certificates } from './platform/tls/certificates.js';
import type { TlsFiles } from './platform/tls/pem.js';
import { Tracing } from './platform/tracing.js';
import { makeFeed } from './service-feed.js';
import { countEnds, countSetbacks, measureCache, measureKeyAge, measureStore } from './service-metrics.js';
import type { KeySettings } from './settings/keys.js';
import { revealed, type ServiceSettings, type StoreSettings } from './settings/service.js';
import { traceStore } from './store-traces.js';

/** How long a start waits for the store. After that the service starts without it, and reports NOT_SERVING. */
const STORE_WAIT_MS = 2_000;
/** How long calls under way may take when the service stops. */
const STOP_MS = 5_000;

/** A store and its life cycle: `opened` resolves once it is reachable, and rejects if it must not be used. */
interface OwnedStore {
  readonly store: Store & RevocationLogs & { close(): Promise<void> };
  readonly opened: Promise<void>;
}

/** The keys and their life cycle. */
interface OwnedKeys {
  readonly keys: Keys;
  /** The date of the key that signs, Unix ms; undefined: it has none. */
  signingSinceMs(): number | undefined;
  /** Starts to watch for added and removed keys. */
  watch(): void;
  close(): void;
}

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
  readonly worker?: number | undefined;
  readonly meter?: Meter | undefined;
}

/**
 * Starts the service.
 * @param options `worker`: the number of this worker, if there are several; `meter`: undefined: nothing is measured
 * @throws KeyFileError, TlsFileError, UnsafeStore, or an Error that says which address cannot be listened on
 */
export async function startService(
  settings: ServiceSettings,
  log: Logger,
  { worker, meter }: ServiceOptions = {},
): Promise<Service> {
  const { policy, grpc, tls, extAuthz, maxConcurrentCalls, grpcPorts } = settings;
  logGrpcTo(log);
  const owned = await makeKeys(settings.keys, log);
  const { keys } = owned;
  warnExposed(settings, log);
  const certificates = openCertificates(tls.files, log);
  const windowMs = logWindowMs(policy.accessTtlMs);
  const { store: ownStore, opened } = await openStore(settings.store, windowMs, log);
  const tracing = Tracing.find();
  const { kind } = settings.store;
  const waits = settings.store.kind === 'redis' && settings.store.minReplicas > 0;
  const traced = tracing ? traceStore(ownStore, tracing, kind, waits) : ownStore;
  const store = meter ? measureStore(traced, meter, waits) : traced;
  try {
    await waitForStore(opened, log);
    const births = new Births(store, policy.adoptedSinceMs);
    const countSetback = meter && countSetbacks(meter);
    const ledger = new Ledger(store, (setback) => {
      countSetback?.(setback);
      log.error({ ...setback }, SETBACK);
    });
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
    const kinds = { store: kind, issuer: issuer !== undefined, tls: certificates !== undefined };
    owned.watch();
    log.info({ addresses, ...kinds }, 'service listening');
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
      stop: async () => {
        await server.stop(STOP_MS);
        certificates?.close();
        owned.close();
        await ownStore.close();
        log.info({}, 'service stopped');
      },
    };
  } catch (error) {
    certificates?.close();
    await ownStore.close();
    throw error;
  }
}

/**
 * PEM keys sign if there are any, and secrets verify tokens that they signed before. An exception are the secrets of
 * simplejwt: every Django process has those, and could sign tokens like ours, so they verify adopted tokens only.
 */
async function makeKeys(settings: KeySettings, log: Logger): Promise<OwnedKeys> {
  const { secret, fallback, folder, activeKid, delayMs, adopt } = settings;
  const secrets = [secret, fallback].flatMap((each) => (each ? [each.reveal()] : []));
  const ours = adopt && folder !== undefined ? [] : secrets.map(keyFromSecret);
  const adopted = adopt ? secrets.map((each) => createSecretKey(each, 'utf8')) : [];
  if (folder !== undefined) {
    const ring = await KeyRing.load({ folder, activeKid, delayMs, others: ours, adopted, log });
    const signingSinceMs = () => ring.signingSinceMs;
    return { keys: ring, signingSinceMs, watch: () => ring.start(), close: () => ring.close() };
  }
  const [signing, ...others] = ours;
  if (!signing) throw new Error('no signing key: set JWT_KEYS_DIR or JWT_SECRET');
  const keys = new JwtKeys(signing, others, ...adopted);
  return { keys, signingSinceMs: () => undefined, watch: () => {}, close: () => {} };
}

/** Loads only the adapter that is configured: the other driver would cost every start time and memory. */
async function openStore(settings: StoreSettings, windowMs: number, log: Logger): Promise<OwnedStore> {
  if (settings.kind === 'lmdb') {
    const { LmdbStore } = await import('./adapters/lmdb/lmdb-store.js');
    return {
      store: LmdbStore.open({ dataDir: settings.dataDir, logWindowMs: windowMs, log }),
      opened: Promise.resolve(),
    };
  }
  const certificates = openCertificates(settings.tls, log);
  const tls = certificates && (() => certificates.fresh().pem);
  const { url, allowUnsafe, minReplicas } = settings;
  const sentinel = settings.sentinel && revealed(settings.sentinel);
  const { RedisStore } = await import('./adapters/redis/redis-store.js');
  const store = new RedisStore({
    url: url.reveal(),
    sentinel,
    allowUnsafe,
    minReplicas,
    tls,
    log,
    logWindowMs: windowMs,
  });
  return { store, opened: store.opened() };
}

/** Needs no close: it does not keep the process alive. @throws TlsFileError */
const openCertificates = (files: TlsFiles | undefined, log: Logger): Certificates | undefined =>
  files && new Certificates(files, log);

/** The allowed callers of IssuerService; undefined: there are none, and the service is off. */
function issuerOf(settings: ServiceSettings): IssuerOptions | undefined {
  const { issuerToken, otherIssuerTokens, issuerClientNames: clientNames, issuerAddress: address } = settings;
  const { revokerToken: revoker } = settings;
  const credentials = [...(issuerToken ? [issuerToken] : []), ...otherIssuerTokens];
  if (credentials.length + clientNames.length === 0 && !revoker) return undefined;
  return { credentials, revoker, clientNames, address };
}

/** Reminds the operator of what GRPC_INSECURE allows. */
function warnExposed(settings: ServiceSettings, log: Logger): void {
  const { exposed } = settings.tls;
  if (exposed.length === 0) return;
  const { credentials = [], revoker } = issuerOf(settings) ?? {};
  const credential = credentials.length > 0 || revoker !== undefined;
  const inClear = credential && exposed.includes(settings.issuerAddress ? 'ISSUER_ADDRESS' : 'GRPC_ADDRESS');
  const text = 'other machines can reach gRPC in plain text (GRPC_INSECURE=true): tokens travel unencrypted';
  log.warn({ exposed }, inClear ? `${text}, and so does the issuer's credential` : text);
}

const untilReachable = (store: Store): Promise<void> =>
  new Promise((resolve) => {
    if (store.reachableSinceMs !== undefined) return resolve();
    const unwatch = store.watch((isReachable) => {
      if (!isReachable) return;
      unwatch();
      resolve();
    });
  });

/** Waits a limited time for the store. @throws UnsafeStore if it must not be used */
async function waitForStore(opened: Promise<void>, log: Logger): Promise<void> {
  const late = new Promise<'late'>((resolve) => setTimeout(resolve, STORE_WAIT_MS, 'late').unref());
  if ((await Promise.race([opened, late])) !== 'late') return;
  log.warn({ waitedMs: STORE_WAIT_MS }, 'the store cannot be reached yet: starting without it, NOT_SERVING');
  opened.catch((err) => {
    // Any other error means that the store was closed before it was reachable.
    if (err instanceof UnsafeStore) log.error({ err }, 'the store must not be used');
  });
}

/**
 * Whenever the store becomes reachable, writes missing birth records, because it may be new or may have lost its data,
 * and restores acknowledged writes that it may have lost.
 */
async function keepComplete(store: GuardedStore, hasSessionsSince: boolean, log: Logger): Promise<void> {
  let reportSince = hasSessionsSince;
  const write = async (): Promise<void> => {
    try {
      const missing = await store.writeBirths();
      if (reportSince) log.warn({ missing }, missing > 0 ? SINCE_USED : SINCE_UNUSED);
      reportSince = false;
      await store.reconcile();
    } catch (err) {
      // The next call that needs them tries again.
      log.warn({ err }, 'the birth records could not be written, or acknowledged writes could not be checked');
    }
  };
  store.watch((reachable) => reachable && void write());
  if (store.reachableSinceMs !== undefined) await write();
}

const SETBACK =
  'the store has lost writes: those that this process acknowledged since sinceMs were restored; writes that were ' +
  'acknowledged earlier, or by processes that have ended, may be lost';
const SINCE_USED = 'SESSIONS_SINCE was written to the new birth records: remove it from the settings now';
const SINCE_UNUSED =
  'SESSIONS_SINCE has no effect, because the store already had birth records: remove it from the settings';
