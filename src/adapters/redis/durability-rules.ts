// The durability rules: eviction policy and persistence, with their messages, for `serve` and for `store check`.

import type { Persistence } from './server-info.js';

/** A property of a server that decides whether entries last. `unsafe`: the service refuses the server. */
export interface DurabilityResult {
  readonly severity: 'unsafe' | 'warning' | 'unknown' | 'good';
  /** The finding and its consequence, for people. */
  readonly message: string;
  readonly remedy?: string;
}

/** @param policy the server's `maxmemory-policy`; undefined: it does not report it */
export function evictionRule(policy: string | undefined): DurabilityResult {
  if (policy === 'noeviction') return { severity: 'good', message: 'It evicts nothing (maxmemory-policy noeviction)' };
  const accept = 'or accept the risk with ALLOW_UNSAFE_STORE=true';
  if (policy === undefined) {
    const message = 'the maxmemory-policy of Redis could not be read (the user needs the command INFO)';
    const remedy = `Allow it with \`redis-cli ACL SETUSER <user> +info\`, and in the ACL file or redis.conf; ${accept}`;
    return { severity: 'unsafe', message, remedy };
  }
  const message = `the maxmemory-policy of Redis is ${policy}: it may evict an entry, and so reactivate an ended session`;
  const remedy =
    'Set it with `redis-cli CONFIG SET maxmemory-policy noeviction`, and for the next start by the ' +
    `line \`maxmemory-policy noeviction\` in redis.conf; ${accept}`;
  return { severity: 'unsafe', message, remedy };
}

const TO_APPEND = 'set it with `redis-cli CONFIG SET appendonly yes`, and for the next start in redis.conf';

/** The results for persistence: what a crash loses. */
export const PERSISTENCE_RULES: Readonly<Record<Persistence, DurabilityResult>> = {
  log: { severity: 'good', message: 'It logs all writes to disk (appendonly yes)' },
  snapshots: {
    severity: 'warning',
    message:
      'Redis keeps snapshots only: after a crash it restarts with old data, and sessions that were ended after the ' +
      'last snapshot are active again; it needs `appendonly yes`',
    remedy: TO_APPEND,
  },
  nothing: {
    severity: 'warning',
    message: 'Redis keeps nothing on disk: when it restarts, every session ends; it needs `appendonly yes`',
    remedy: TO_APPEND,
  },
  unknown: {
    severity: 'unknown',
    message:
      'Redis does not report whether it keeps an append-only file (it must allow INFO and CONFIG GET): with snapshots ' +
      'alone, sessions that were ended after the last one are active again after a crash',
    remedy: 'check that it has `appendonly yes`',
  },
};

/** Formats a result as one log line. */
export const formatResult = ({ message, remedy }: DurabilityResult): string =>
  remedy === undefined ? message : `${message}; ${remedy}`;
