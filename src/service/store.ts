// The store of the service, from its settings: opened, waited for, and completed whenever it becomes reachable.

import { UnsafeStore } from '../adapters/redis/unsafe-store.js';
import type { GuardedStore } from '../core/durability/guarded-store.js';
import type { RevocationLogs, Store } from '../core/ports.js';
import type { Logger } from '../platform/log.js';
import { Certificates } from '../platform/tls/certificates.js';
import { revealed, type StoreSettings } from '../settings/store.js';

/** How long a start waits for the store. After that the service starts without it, and reports NOT_SERVING. */
const STORE_WAIT_MS = 2_000;

/** A store and its life cycle: `opened` resolves once it is reachable, and rejects if it must not be used. */
export interface OwnedStore {
  readonly store: Store & RevocationLogs & { close(): Promise<void> };
  readonly opened: Promise<void>;
}

/**
 * Loads only the adapter that is configured: the other driver would cost every start time and memory.
 * @param logWindowMs how far back the logs of ended sessions must reach
 * @throws TlsFileError, or what the store throws if it cannot be used
 */
export async function openStore(settings: StoreSettings, logWindowMs: number, log: Logger): Promise<OwnedStore> {
  if (settings.kind === 'lmdb') {
    const { LmdbStore } = await import('../adapters/lmdb/lmdb-store.js');
    const store = LmdbStore.open({ dataDir: settings.dataDir, logWindowMs, log });
    return { store, opened: Promise.resolve() };
  }
  // It needs no close: it does not keep the process alive.
  const certificates = settings.tls && new Certificates(settings.tls, log);
  const tls = certificates && (() => certificates.fresh().pem);
  const { allowUnsafe, minReplicas } = settings;
  const url = settings.url.reveal();
  const sentinel = settings.sentinel && revealed(settings.sentinel);
  const { RedisStore } = await import('../adapters/redis/redis-store.js');
  const store = new RedisStore({ url, sentinel, allowUnsafe, minReplicas, tls, log, logWindowMs });
  return { store, opened: store.opened() };
}

/** Waits a limited time for the store. @throws UnsafeStore if it must not be used */
export async function waitForStore(opened: Promise<void>, log: Logger): Promise<void> {
  const late = new Promise<'late'>((resolve) => setTimeout(resolve, STORE_WAIT_MS, 'late').unref());
  if ((await Promise.race([opened, late])) !== 'late') return;
  log.warn({ waitedMs: STORE_WAIT_MS }, 'the store cannot be reached yet: starting without it, NOT_SERVING');
  opened.catch((err) => {
    // Any other error means that the store was closed before it was reachable.
    if (err instanceof UnsafeStore) log.error({ err }, 'the store must not be used');
  });
}

/** @returns a promise that resolves once the store is reachable */
export const untilReachable = (store: Store): Promise<void> =>
  new Promise((resolve) => {
    if (store.reachableSinceMs !== undefined) return resolve();
    const unwatch = store.watch((isReachable) => {
      if (!isReachable) return;
      unwatch();
      resolve();
    });
  });

/**
 * Whenever the store becomes reachable, writes missing birth records, because it may be new or may have lost its data,
 * and restores acknowledged writes that it may have lost.
 * @param hasSessionsSince whether SESSIONS_SINCE is set, so that a warning says what became of it
 */
export async function keepComplete(store: GuardedStore, hasSessionsSince: boolean, log: Logger): Promise<void> {
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

const SINCE_USED = 'SESSIONS_SINCE was written to the new birth records: remove it from the settings now';
const SINCE_UNUSED =
  'SESSIONS_SINCE has no effect, because the store already had birth records: remove it from the settings';
