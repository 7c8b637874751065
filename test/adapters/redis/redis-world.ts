// Stores on a real Redis for tests, and waits for conditions on them.

import { RedisStore, type RedisStoreOptions } from '../../../src/adapters/redis/redis-store.js';
import { RecordingLog } from '../../support/recording-log.js';
import type { RedisServer } from '../../support/redis-server.js';

/** A store with a log that can be looked at. */
export interface Opened {
  readonly store: RedisStore;
  readonly log: RecordingLog;
}

/** For tests that are about answers, not about their times: on a busy machine one may take longer than 500 ms. */
export const PATIENT: Partial<RedisStoreOptions> = { commandTimeoutMs: 10_000 };

export function openStore(url: string, options: Partial<RedisStoreOptions> = {}): Opened {
  const log = new RecordingLog();
  return { store: new RedisStore({ url, allowUnsafe: false, log, ...options }), log };
}

export async function openReachable(server: RedisServer, options: Partial<RedisStoreOptions> = {}): Promise<Opened> {
  const opened = openStore(server.url, options);
  await opened.store.opened();
  return opened;
}
