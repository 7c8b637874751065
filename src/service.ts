// Owns the composition of the service: which adapters stand behind the ports, in which order they start and stop.

import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import { JwtKeys } from './adapters/jwt/jwt-keys.js';
import { loadKeys } from './adapters/jwt/key-files.js';
import { keyFromSecret } from './adapters/jwt/signing-key.js';
import { LmdbStore } from './adapters/lmdb/lmdb-store.js';
import { RedisStore } from './adapters/redis/redis-store.js';
import { UnsafeStore } from './adapters/redis/unsafe-store.js';
import type { KeySettings, ServiceSettings, StoreSettings } from './config.js';
import { Births } from './core/births.js';
import { VERDICT_AGE_MS } from './core/policy.js';
import type { Keys, Store } from './core/ports.js';
import { Starts } from './core/starts.js';
import type { Address } from './env.js';
import { GrpcServer } from './grpc/server.js';
import type { Logger } from './log.js';

/** How long a start waits for the store. Without it the service starts all the same, and says NOT_SERVING. */
const STORE_WAIT_MS = 2_000;
/** How long calls under way may take once the service is told to stop. */
const STOP_MS = 5_000;

/** A store and its life: `opened` resolves once it can be reached, and rejects if it must not be used. */
interface OwnedStore {
  readonly store: Store & { close(): Promise<void> };
  readonly opened: Promise<void>;
}

export interface Service {
  /** Where it listens, with the ports that were given; AuthService's first, then IssuerService's if that is apart. */
  readonly addresses: readonly Address[];
  /** Lets calls under way end, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts the service.
 * @throws KeyFileError, UnsafeStore, or an Error that says which address cannot be listened on
 */
export async function startService(settings: ServiceSettings, log: Logger): Promise<Service> {
  const { policy, issuerToken, issuerAddress, grpc } = settings;
  const keys = makeKeys(settings.keys);
  const { store, opened } = openStore(settings.store, log);
  try {
    await reached(opened, log);
    const births = new Births(store, policy.foreignSinceMs);
    await keepBirths(store, births, policy.foreignSinceMs !== undefined, log);
    const crypto = { randomBytes, sha256: (text: string) => createHash('sha256').update(text).digest() };
    const issuer = issuerToken && { credential: issuerToken, address: issuerAddress };
    const server = new GrpcServer({ store, keys, crypto, policy, births, starts: new Starts() }, log, {
      address: grpc,
      issuer,
    });
    const addresses = await server.listen();
    log.info({ addresses, store: settings.store.kind, issuer: issuer !== undefined }, 'service listening');
    return {
      addresses,
      stop: async () => {
        await server.stop(STOP_MS);
        await store.close();
        log.info({}, 'service stopped');
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * PEM keys sign if there are any, and the secret's own tokens are verified beside them. Not where the secret is
 * simplejwt's: then every Django process has it, and could make tokens of ours.
 */
function makeKeys({ secret, folder, adopt }: KeySettings): Keys {
  const fromFolder = folder === undefined ? [] : loadKeys(folder);
  const fromSecret = secret && !(adopt && folder !== undefined) ? [keyFromSecret(secret.reveal())] : [];
  const [signing, ...others] = [...fromFolder, ...fromSecret];
  if (!signing) throw new Error('no signing key: set JWT_KEYS_DIR or JWT_SECRET');
  return new JwtKeys(signing, others, adopt && secret ? createSecretKey(secret.reveal(), 'utf8') : undefined);
}

function openStore(settings: StoreSettings, log: Logger): OwnedStore {
  if (settings.kind === 'lmdb') {
    return { store: LmdbStore.open({ dataDir: settings.dataDir, log }), opened: Promise.resolve() };
  }
  const store = new RedisStore({ url: settings.url.reveal(), allowUnsafe: settings.allowUnsafe, log });
  return { store, opened: store.opened() };
}

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

/** Writes what is missing of the births whenever the store is reached: it may be new, or have come back empty. */
async function keepBirths(store: Store, births: Births, since: boolean, log: Logger): Promise<void> {
  let tell = since;
  const write = async (): Promise<void> => {
    try {
      const missing = await births.write(store.now() + VERDICT_AGE_MS);
      if (tell) log.warn({ missing }, missing > 0 ? SINCE_TAKEN : SINCE_IDLE);
      tell = false;
    } catch (err) {
      // The first call that needs them tries again.
      log.warn({ err }, 'the birth records could not be written');
    }
  };
  store.watch((reachable) => reachable && void write());
  if (store.reachableSinceMs !== undefined) await write();
}

const SINCE_TAKEN = 'SESSIONS_SINCE was put into the new birth records: take it out of the settings now';
const SINCE_IDLE = 'SESSIONS_SINCE has no effect: the store began before this start; take it out of the settings';
