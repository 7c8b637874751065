// The settings of tokens and sessions: lifetimes, the grace window, and what claims must hold.

import type { Policy } from '../core/policy.js';
import { SLACK_MS } from '../core/session/rules.js';
import { isReserved } from '../core/token/claims.js';
import { isClientId, isOwnField } from '../core/use-cases/issue.js';
import { type Environment, formatDuration } from '../platform/env.js';

const TEN_YEARS_MS = 3650 * 24 * 60 * 60 * 1000;

/** @param nowMs Unix ms */
export function readPolicy(env: Environment, adopt: boolean, nowMs: number): Policy {
  const ttl = { min: 1000, max: TEN_YEARS_MS, wholeSeconds: true };
  const policy: Policy = {
    accessTtlMs: env.duration('ACCESS_TTL', '5m', ttl),
    refreshTtlMs: env.duration('REFRESH_TTL', '7d', ttl),
    sessionMaxMs: env.duration('SESSION_MAX', '30d', ttl),
    graceMs: env.duration('REFRESH_GRACE', '10s', { min: 0 }),
    // The slack that entries are kept for must cover it.
    toleranceMs: env.duration('CLOCK_TOLERANCE', '5s', { min: 0, max: SLACK_MS / 2 }),
    issuer: env.text('JWT_ISSUER'),
    audience: readAudience(env),
    subjectClaim: readSubjectClaim(env, adopt),
    adoptedSinceMs: env.instant('SESSIONS_SINCE'),
    clientId: readClientId(env),
    adopts: adopt,
  };
  checkOrder(env, policy);
  if (policy.adoptedSinceMs !== undefined && policy.adoptedSinceMs > nowMs) {
    env.fault('SESSIONS_SINCE', 'a moment in the future', 'the moment since when the adopted sessions are good');
  }
  return policy;
}

/** A list without an item is a fault: it would check nothing, although the operator set it. */
function readAudience(env: Environment): readonly string[] {
  const audience = env.list('JWT_AUDIENCE');
  const text = env.text('JWT_AUDIENCE');
  if (text !== undefined && audience.length === 0) {
    env.fault('JWT_AUDIENCE', JSON.stringify(text), 'one or more audiences, comma separated, or unset');
  }
  return audience;
}

function readClientId(env: Environment): string | undefined {
  const id = env.text('JWT_CLIENT_ID');
  if (id !== undefined && !isClientId(id)) {
    env.fault('JWT_CLIENT_ID', JSON.stringify(id), 'an OAuth client id of 1 to 255 characters of printable ASCII');
  }
  return id;
}

function readSubjectClaim(env: Environment, adopt: boolean): string {
  const name = env.text('SUBJECT_CLAIM', { default: adopt ? 'user_id' : 'sub' });
  if (name !== 'sub' && (isReserved(name) || isOwnField(name)))
    env.fault('SUBJECT_CLAIM', name, 'a claim that has no other meaning, such as user_id');
  if (/\s/.test(name)) env.fault('SUBJECT_CLAIM', JSON.stringify(name), 'a name without white space, such as user_id');
  return name;
}

/** An entry that denies a token must outlive the token, and a retry must come while its access token is valid. */
function checkOrder(env: Environment, policy: Policy): void {
  const order = [
    ['REFRESH_GRACE', policy.graceMs, 'less than', 'ACCESS_TTL', policy.accessTtlMs],
    ['ACCESS_TTL', policy.accessTtlMs, 'at most', 'REFRESH_TTL', policy.refreshTtlMs],
    ['REFRESH_TTL', policy.refreshTtlMs, 'at most', 'SESSION_MAX', policy.sessionMaxMs],
  ] as const;
  for (const [name, ms, relation, other, otherMs] of order) {
    if (ms < otherMs || (relation === 'at most' && ms === otherMs)) continue;
    env.fault(name, formatDuration(ms), `${relation} ${other}, which is ${formatDuration(otherMs)}`);
  }
}
