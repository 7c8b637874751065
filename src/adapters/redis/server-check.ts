// The check of a server before and during use: eviction policy, persistence, and access to our keys.

import type { Redis } from 'ioredis';
import type { Logger } from '../../platform/logger.js';
import { evictionRule, formatResult, PERSISTENCE_RULES } from './durability-rules.js';
import { readDurability } from './server-info.js';
import { UnsafeStore } from './unsafe-store.js';

/** The part of a logger that the adapter uses. */
export type Log = Pick<Logger, 'info' | 'warn' | 'error'>;

/**
 * Creates the check that each new connection must pass, and each connection in use again every second: an administrator
 * may change the policy or our rights at any time.
 * @param probe reads one of our keys, which shows that the data is loaded and that our user may read it
 * @returns the check. @throws UnsafeStore, StoreUnavailable
 */
export function makeServerCheck(
  allowUnsafe: boolean,
  probe: (client: Redis) => Promise<unknown>,
  log: Log,
): (client: Redis) => Promise<void> {
  let warned = false;
  let allowed: string | undefined;
  return async (client) => {
    const [{ policy, persistence }] = await Promise.all([readDurability(client), probe(client)]);
    const unsafe = evictionRule(policy).severity === 'unsafe' ? new UnsafeStore(policy) : undefined;
    if (unsafe && !allowUnsafe) throw unsafe;
    if (unsafe && unsafe.message !== allowed) log.warn({}, unsafe.message);
    allowed = unsafe?.message;
    if (warned) return;
    warned = true;
    const kept = PERSISTENCE_RULES[persistence];
    if (kept.severity !== 'good') log.warn({ persistence }, formatResult(kept));
  };
}
