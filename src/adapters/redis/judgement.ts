// Owns the judgement on how a server keeps what it is told, and its words: one rule for `serve` and for `store check`.

import type { Finding } from '../../core/finding.js';
import type { Persistence } from './inspection.js';

/** @param policy the server's `maxmemory-policy`; undefined: it does not tell */
export function judgePolicy(policy: string | undefined): Finding {
  if (policy === 'noeviction') return { weight: 'good', says: 'It evicts nothing (maxmemory-policy noeviction)' };
  const accept = 'or accept the risk with ALLOW_UNSAFE_STORE=true';
  if (policy === undefined) {
    const says = 'the maxmemory-policy of Redis could not be read (the user needs the command INFO)';
    const mend = `Give it that with \`redis-cli ACL SETUSER <user> +info\`, and where the users are kept; ${accept}`;
    return { weight: 'unsafe', says, mend };
  }
  const says = `the maxmemory-policy of Redis is ${policy}: it may evict an entry, and with that revive an ended session`;
  const mend =
    'Set it with `redis-cli CONFIG SET maxmemory-policy noeviction`, and for the next start with the ' +
    `line \`maxmemory-policy noeviction\` in redis.conf; ${accept}`;
  return { weight: 'unsafe', says, mend };
}

const TO_APPEND = 'set it with `redis-cli CONFIG SET appendonly yes`, and for the next start in redis.conf';

/** What a crash would cost. */
export const PERSISTENCE: Readonly<Record<Persistence, Finding>> = {
  log: { weight: 'good', says: 'It keeps a log of all writes (appendonly yes)' },
  snapshots: {
    weight: 'warning',
    says:
      'Redis keeps snapshots only: after a crash it comes back with old data, and sessions that were ended since the ' +
      'last snapshot stand again; it needs `appendonly yes`',
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
      'Redis does not tell whether it keeps an append-only file (it must allow INFO and CONFIG GET): with snapshots ' +
      'alone, sessions that were ended since the last one stand again after a crash',
    mend: 'make sure of `appendonly yes`',
  },
};

/** A finding as one line of a log. */
export const inOneLine = ({ says, mend }: Finding): string => (mend === undefined ? says : `${says}; ${mend}`);
