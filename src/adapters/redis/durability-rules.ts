// The durability rules: eviction policy and persistence, with their messages, for `serve` and for `store check`.

import type { Finding } from '../../core/finding.js';
import type { Persistence } from './server-info.js';

/** @param policy the server's `maxmemory-policy`; undefined: it does not report it */
export function evictionRule(policy: string | undefined): Finding {
  if (policy === 'noeviction') return { weight: 'good', says: 'It evicts nothing (maxmemory-policy noeviction)' };
  const accept = 'or accept the risk with ALLOW_UNSAFE_STORE=true';
  if (policy === undefined) {
    const says = 'the maxmemory-policy of Redis could not be read (the user needs the command INFO)';
    const mend = `Allow it with \`redis-cli ACL SETUSER <user> +info\`, and in the ACL file or redis.conf; ${accept}`;
    return { weight: 'unsafe', says, mend };
  }
  const says = `the maxmemory-policy of Redis is ${policy}: it may evict an entry, and so reactivate an ended session`;
  const mend =
    'Set it with `redis-cli CONFIG SET maxmemory-policy noeviction`, and for the next start by the ' +
    `line \`maxmemory-policy noeviction\` in redis.conf; ${accept}`;
  return { weight: 'unsafe', says, mend };
}

const TO_APPEND = 'set it with `redis-cli CONFIG SET appendonly yes`, and for the next start in redis.conf';

/** The results for persistence: what a crash loses. */
export const PERSISTENCE_RULES: Readonly<Record<Persistence, Finding>> = {
  log: { weight: 'good', says: 'It logs all writes to disk (appendonly yes)' },
  snapshots: {
    weight: 'warning',
    says:
      'Redis keeps snapshots only: after a crash it restarts with old data, and sessions that were ended after the ' +
      'last snapshot are active again; it needs `appendonly yes`',
    mend: TO_APPEND,
  },
  nothing: {
    weight: 'warning',
    says: 'Redis keeps nothing on disk: when it restarts, every session ends; it needs `appendonly yes`',
    mend: TO_APPEND,
  },
  unknown: {
    weight: 'unknown',
    says:
      'Redis does not report whether it keeps an append-only file (it must allow INFO and CONFIG GET): with snapshots ' +
      'alone, sessions that were ended after the last one are active again after a crash',
    mend: 'check that it has `appendonly yes`',
  },
};

/** Formats a result as one log line. */
export const formatResult = ({ says, mend }: Finding): string => (mend === undefined ? says : `${says}; ${mend}`);
