// Owns the decision whether a server keeps what it is told well enough to be used, and what is said if it does not.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { inspect, type Persistence } from './inspection.js';
import type { Log, Reachability } from './reachability.js';
import { READ } from './read-script.js';
import { evaluate } from './script.js';
import { UnsafeStore } from './unsafe-store.js';

const DATA_LOSS: Readonly<Record<Persistence, string | undefined>> = {
  log: undefined,
  snapshots:
    'Redis keeps snapshots only: after a crash it comes back with old data, and sessions that were ended since the ' +
    'last snapshot stand again; set `appendonly yes`',
  nothing: 'Redis keeps nothing on disk: when it restarts, every session ends; set `appendonly yes`',
  unknown:
    'Redis does not tell whether it keeps an append-only file (it must allow INFO and CONFIG GET): with snapshots ' +
    'alone, sessions that were ended since the last one stand again after a crash; make sure of `appendonly yes`',
};

/**
 * Makes the check that each new connection must pass, and a connection in use again and again: an administrator may
 * change the policy or our rights at any time.
 * @param probe a key of ours; that it can be read shows that the data is there and that we may touch it
 */
export function makeAdmission(
  allowUnsafe: boolean,
  probe: string,
  log: Log,
  reachability: Reachability,
): (client: Redis) => Promise<void> {
  let warned = false;
  return async (client) => {
    const [{ policy, persistence }] = await Promise.all([inspect(client), evaluate(client, READ, [probe], [])]);
    const unsafe = policy === 'noeviction' ? undefined : new UnsafeStore(policy);
    if (unsafe && !allowUnsafe) {
      reachability.refused(unsafe);
      throw new StoreUnavailable(unsafe.message);
    }
    if (warned) return;
    warned = true;
    if (unsafe) log.warn({}, unsafe.message);
    const loss = DATA_LOSS[persistence];
    if (loss) log.warn({ persistence }, loss);
  };
}
