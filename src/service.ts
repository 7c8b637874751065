// The composition of the service: which adapters stand behind the ports, in which order they start and stop.

import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import { JwtKeys } from './adapters/jwt/jwt-keys.js';
import { KeyRing } from './adapters/jwt/key-ring.js';
import { keyFromSecret } from './adapters/jwt/signing-key.js';
import { tokenMemory } from './adapters/lru/token-memory.js';
import { UnsafeStore } from './adapters/redis/unsafe-store.js';
import { revealed, type ServiceSettings, type StoreSettings } from './config.js';
import { Births } from './core/births.js';
import { LatestSessionStart } from './core/latest-session-start.js';
import { Ledger } from './core/ledger.js';
import type { Keys, Store } from './core/ports.js';
import type { Verified } from './core/verified.js';
import type { Address } from './env.js';
import { GrpcServer, type IssuerOptions } from './grpc/server.js';
import { DEFAULT_LIMITS } from './grpc/transport/limits.js';
import type { KeySettings } from './key-settings.js';
import type { Logger } from './log.js';
import { logGrpcTo } from './output/grpc-log.js';
import { Certificates } from './tls/certificates.js';
import type { TlsFiles } from './tls/pem.js';

/** How long a start waits for the store. Without it the service starts all the same, and says NOT_SERVING. */
const STORE_WAIT_MS = 2_000;
/** How long calls under way may take once the service is told to stop. */
const STOP_MS = 5_000;

/** A store and its life: `opened` resolves once it can be reached, and rejects if it must not be used. */
interface OwnedStore {
  readonly store: Store & { close(): Promise<void> };
  readonly opened: Promise<void>;
}

/** The keys and their life. */
interface OwnedKeys {
  readonly keys: Keys;
  /** Notices keys that come and go from now on. */
  watch(): void;
  close(): void;
}

export interface Service {
  /** Where it listens, with the ports that were given; AuthService's first, then IssuerService's if that is apart. */
  readonly addresses: readonly Address[];
  /** Resolves once the store can be reached, or could be at some time. */
  readonly reachesStore: Promise<void>;
  /** Lets calls under way end, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts the service.
 * @param worker its number, where it is one of several processes
 * @throws KeyFileError, TlsFileError, UnsafeStore, or an Error that says which address cannot be listened on
 */
export async function startService(settings: ServiceSettings, log: Logger, worker?: number): Promise<Service> {
  const { policy, grpc, tls, maxConcurrentCalls, grpcPorts } = settings;
  logGrpcTo(log);
  const owned = await makeKeys(settings.keys, log);
  const { keys } = owned;
  tellExposed(settings, log);
  const certificates = openCertificates(tls.files, log);
  const { store, opened } = await openStore(settings.store, log);
  try {
    await reached(opened, log);
    const births = new Births(store, policy.foreignSinceMs);
    const ledger = new Ledger(store, (setback) => log.error({ ...setback }, SETBACK));
    await keepBirths(store, births, ledger, policy.foreignSinceMs !== undefined, log);
    const crypto = { randomBytes, sha256: (text: string) => createHash('sha256').update(text).digest() };
    const issuer = issuerOf(settings);
    const verified = tokenMemory<Verified>(settings.verifiedTokens);
    const context = { store, keys, crypto, policy, births, ledger, latestStart: new LatestSessionStart(), verified };
    const server = new GrpcServer(context, log, {
      ...{ address: grpc, issuer, certificates, maxConcurrentCalls, worker },
      limits: { ...DEFAULT_LIMITS, ...grpcPorts },
      reflection: grpcPorts.reflection,
    });
    const addresses = await server.listen();
    const kinds = { store: settings.store.kind, issuer: issuer !== undefined, tls: certificates !== undefined };
    owned.watch();
    log.info({ addresses, ...kinds }, 'service listening');
    return {
      addresses,
      reachesStore: reachable(store),
      stop: async () => {
        await server.stop(STOP_MS);
        certificates?.close();
        owned.close();
        await store.close();
        log.info({}, 'service stopped');
      },
    };
  } catch (error) {
    certificates?.close();
    await store.close();
    throw error;
  }
}

/**
 * PEM keys sign if there are any, and the secrets' own tokens are verified beside them. Not where the secrets are
 * simplejwt's: then every Django process has them, and could make tokens of ours.
 */
async function makeKeys(settings: KeySettings, log: Logger): Promise<OwnedKeys> {
  const { secret, fallback, folder, activeKid, delayMs, adopt } = settings;
  const secrets = [secret, fallback].flatMap((each) => (each ? [each.reveal()] : []));
  const ours = adopt && folder !== undefined ? [] : secrets.map(keyFromSecret);
  const adopted = adopt ? secrets.map((each) => createSecretKey(each, 'utf8')) : [];
  if (folder !== undefined) {
    const ring = await KeyRing.open({ folder, activeKid, delayMs, others: ours, adopted, log });
    return { keys: ring, watch: () => ring.start(), close: () => ring.close() };
  }
  const [signing, ...others] = ours;
  if (!signing) throw new Error('no signing key: set JWT_KEYS_DIR or JWT_SECRET');
  return { keys: new JwtKeys(signing, others, ...adopted), watch: () => {}, close: () => {} };
}

/** Loads the adapter that is asked for, and with it its driver: the other's would cost every start its time and memory. */
async function openStore(settings: StoreSettings, log: Logger): Promise<OwnedStore> {
  if (settings.kind === 'lmdb') {
    const { LmdbStore } = await import('./adapters/lmdb/lmdb-store.js');
    return { store: LmdbStore.open({ dataDir: settings.dataDir, log }), opened: Promise.resolve() };
  }
  const certificates = openCertificates(settings.tls, log);
  const tls = certificates && (() => certificates.fresh().pem);
  const { url, allowUnsafe, minReplicas } = settings;
  const sentinel = settings.sentinel && revealed(settings.sentinel);
  const { RedisStore } = await import('./adapters/redis/redis-store.js');
  const store = new RedisStore({ url: url.reveal(), sentinel, allowUnsafe, minReplicas, tls, log });
  return { store, opened: store.opened() };
}

/** Ends with the process: it holds up nothing. @throws TlsFileError */
const openCertificates = (files: TlsFiles | undefined, log: Logger): Certificates | undefined =>
  files && new Certificates(files, log);

/** Who may call IssuerService; undefined: nobody. */
function issuerOf(settings: ServiceSettings): IssuerOptions | undefined {
  const { issuerToken, otherIssuerTokens, issuerClientNames: clientNames, issuerAddress: address } = settings;
  const credentials = [...(issuerToken ? [issuerToken] : []), ...otherIssuerTokens];
  return credentials.length + clientNames.length === 0 ? undefined : { credentials, clientNames, address };
}

/** What was allowed by GRPC_INSECURE must not be forgotten. */
function tellExposed(settings: ServiceSettings, log: Logger): void {
  const { exposed } = settings.tls;
  if (exposed.length === 0) return;
  const credential = (issuerOf(settings)?.credentials.length ?? 0) > 0;
  const inClear = credential && exposed.includes(settings.issuerAddress ? 'ISSUER_ADDRESS' : 'GRPC_ADDRESS');
  const words = 'others can reach gRPC in plain text (GRPC_INSECURE=true): tokens travel in clear';
  log.warn({ exposed }, inClear ? `${words}, and so does the issuer's credential` : words);
}

const reachable = (store: Store): Promise<void> =>
  new Promise((resolve) => {
    if (store.reachableSinceMs !== undefined) return resolve();
    const unwatch = store.watch((isReachable) => {
      if (!isReachable) return;
      unwatch();
      resolve();
    });
  });

/** Waits for the store for a while. @throws if it must not be used */
async function reached(opened: Promise<void>, log: Logger): Promise<void> {
  const late = new Promise<'late'>((resolve) => setTimeout(resolve, STORE_WAIT_MS, 'late').unref());
  if ((await Promise.race([opened, late])) !== 'late') return;
  log.warn({ waitedMs: STORE_WAIT_MS }, 'the store cannot be reached yet: starting without it, NOT_SERVING');
  opened.catch((err) => {
    // Otherwise it was closed before it could be reached.
    if (err instanceof UnsafeStore) log.error({ err }, 'the store must not be used');
  });
}

/**
 * Whenever the store is reached, writes what is missing of the births, for it may be new, or have come back empty; and
 * stands up for what was acknowledged, for it may have come back older.
 */
async function keepBirths(store: Store, births: Births, ledger: Ledger, since: boolean, log: Logger): Promise<void> {
  let tell = since;
  const write = async (): Promise<void> => {
    try {
      const missing = await births.write();
      if (tell) log.warn({ missing }, missing > 0 ? SINCE_TAKEN : SINCE_IDLE);
      tell = false;
      if (ledger.isElsewhere) await ledger.reconcile();
    } catch (err) {
      // The first call that needs them tries again.
      log.warn({ err }, 'the birth records could not be written, or not all that was acknowledged looked at');
    }
  };
  store.watch((reachable) => reachable && void write());
  if (store.reachableSinceMs !== undefined) await write();
}

const SETBACK =
  'the store came back older than it was: what this process had acknowledged was put back; what was acknowledged by ' +
  'others that are gone, or before sinceMs, may be lost';
const SINCE_TAKEN = 'SESSIONS_SINCE was put into the new birth records: take it out of the settings now';
const SINCE_IDLE = 'SESSIONS_SINCE has no effect: the store began before this start; take it out of the settings';
