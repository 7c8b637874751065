// The settings of the service: the variables, their defaults, and the rules between them.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Credentials, redisUrlFault } from '../adapters/redis/url.js';
import type { Policy } from '../core/policy.js';
import { SLACK_MS } from '../core/session/rules.js';
import { isReserved } from '../core/token/claims.js';
import { isClientId, isOwnField } from '../core/use-cases/issue.js';
import { type Address, type Environment, formatDuration, type Secret } from '../platform/env.js';
import type { TlsFiles } from '../platform/tls/pem.js';
import { type ExtAuthzSettings, readExtAuthz } from './doors.js';
import { type GrpcPortSettings, readGrpcPorts } from './grpc.js';
import { type IssuerSettings, readIssuer } from './issuer.js';
import { type KeySettings, readKeySettings } from './keys.js';
import { type HealthSettings, readHealth } from './monitoring.js';
import { type ListenerTls, readListenerTls, readRedisTls } from './tls.js';

/** The store of the denylist. */
export type StoreSettings =
  | {
      readonly kind: 'redis';
      readonly url: Secret;
      readonly allowUnsafe: boolean;
      /** How many replicas must have a write before it is acknowledged. */
      readonly minReplicas: number;
      readonly tls: TlsFiles | undefined;
      /** The credentials for the Sentinels. */
      readonly sentinel: SentinelSecrets | undefined;
    }
  | { readonly kind: 'lmdb'; readonly dataDir: string };

/** The credentials for Sentinels, which have credentials of their own. */
export interface SentinelSecrets {
  readonly user: string | undefined;
  readonly password: Secret;
}

/** The credentials as plain text, for the driver. */
export const revealed = ({ user, password }: SentinelSecrets): Credentials => ({ user, password: password.reveal() });

export interface ServiceSettings extends IssuerSettings {
  readonly grpc: Address;
  readonly issuerAddress: Address | undefined;
  /** Limits of both listeners. */
  readonly grpcPorts: GrpcPortSettings;
  /** TLS of both listeners. */
  readonly tls: ListenerTls;
  /** Undefined: Envoy's external authorization is not served. */
  readonly extAuthz: ExtAuthzSettings | undefined;
  /** Undefined: no probes by HTTP. */
  readonly health: HealthSettings | undefined;
  readonly store: StoreSettings;
  readonly keys: KeySettings;
  readonly policy: Policy;
  /** The most concurrent calls. */
  readonly maxConcurrentCalls: number;
  /** The most streams of WatchRevocations. */
  readonly maxWatchers: number;
  /** How many verified access tokens the cache holds. */
  readonly verifiedTokens: number;
  /** The number of worker processes. */
  readonly workers: number;
}

/** In mode `dev` missing settings get defaults; in mode `serve` keys and a store must be set, so that none is accidental. */
export type Mode = 'serve' | 'dev';

/** The data folder of `dev` if DATA_DIR is unset. */
export const DEV_DATA_DIR = '.latchkey';
/** The folder of the keys that `dev` creates. */
export const ownKeysFolder = (dataDir: string): string => join(dataDir, 'keys');
/** The file of the issuer credential that `dev` creates. */
export const issuerTokenFile = (dataDir: string): string => join(dataDir, 'issuer-token');
const MOST_REPLICAS = 100;
const MOST_WORKERS = 256;
/** A larger value would be no limit in practice. */
const MAX_CALLS = 1_000_000;
/** At about 2 KiB each, more would not fit into Node's default heap. */
const MAX_VERIFIED = 1_000_000;
const TEN_YEARS_MS = 3650 * 24 * 60 * 60 * 1000;

/** Reads all settings of the service. `env` records the faults, for its `check`. */
export function readServiceSettings(env: Environment, mode: Mode, nowMs: number): ServiceSettings {
  const keys = readKeySettings(env, mode === 'dev');
  const grpc = env.address('GRPC_ADDRESS', '127.0.0.1:50051');
  const issuerAddress = env.address('ISSUER_ADDRESS');
  const tls = readListenerTls(env, { GRPC_ADDRESS: grpc, ISSUER_ADDRESS: issuerAddress });
  return {
    grpc,
    issuerAddress,
    grpcPorts: readGrpcPorts(env),
    tls,
    extAuthz: readExtAuthz(env),
    health: readHealth(env),
    ...readIssuer(env, mode === 'dev' ? 'fault' : 'none', tls.files?.ca !== undefined),
    store: readStore(env, mode),
    keys,
    policy: readPolicy(env, keys.adopt, nowMs),
    maxConcurrentCalls: env.count('MAX_CONCURRENT_CALLS', 256, { min: 1, max: MAX_CALLS }),
    maxWatchers: env.count('MAX_WATCHERS', 1_000, { min: 0, max: MAX_CALLS }),
    verifiedTokens: env.count('VERIFIED_TOKENS', 20_000, { min: 0, max: MAX_VERIFIED }),
    // `dev` is one process together with its gateway.
    workers: mode === 'serve' ? readWorkers(env) : 1,
  };
}

function readWorkers(env: Environment): number {
  const text = env.text('WORKERS', { default: '1' });
  if (text === 'auto') return availableParallelism();
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST_WORKERS) return count;
  env.fault('WORKERS', JSON.stringify(text), `auto, or a whole number from 1 to ${MOST_WORKERS}`);
  return 1;
}

export function readStore(env: Environment, mode: Mode): StoreSettings {
  const url = env.secret('REDIS_URL', { wantedOf: redisUrlFault });
  // If the URL is in an unreadable file, only that is reported, and no fault that depends on the URL.
  const isUnread = !url && env.isSecretSet('REDIS_URL');
  const tls = isUnread ? undefined : readRedisTls(env, url?.reveal());
  const dataDir = env.text('DATA_DIR');
  const allowUnsafe = env.flag('ALLOW_UNSAFE_STORE', false);
  const minReplicas = env.count('REDIS_MIN_REPLICAS', 0, { min: 0, max: MOST_REPLICAS });
  if (minReplicas > 0 && !url && !isUnread) {
    env.fault('REDIS_MIN_REPLICAS', `${minReplicas}`, 'REDIS_URL beside it: the embedded store has no replicas');
  }
  if (url && dataDir !== undefined && mode === 'serve') {
    env.fault('REDIS_URL and DATA_DIR', 'both', 'one of them: Redis, or the embedded store of one machine');
  }
  const sentinel = isUnread ? undefined : readSentinelSecrets(env, url?.reveal());
  if (url) return { kind: 'redis', url, allowUnsafe, minReplicas, tls, sentinel };
  if (dataDir === undefined && !isUnread && mode === 'serve') {
    const wanted = 'one of them: a Redis such as redis://127.0.0.1:6379, or a folder for the embedded store';
    env.fault('REDIS_URL or DATA_DIR', 'neither', wanted);
  }
  return { kind: 'lmdb', dataDir: dataDir ?? DEV_DATA_DIR };
}

function readSentinelSecrets(env: Environment, url: string | undefined): SentinelSecrets | undefined {
  const [user, password] = [env.text('REDIS_SENTINEL_USER'), env.secret('REDIS_SENTINEL_PASSWORD')];
  const hasPassword = env.isSecretSet('REDIS_SENTINEL_PASSWORD');
  if (user === undefined && !hasPassword) return undefined;
  if (user !== undefined) env.warnOfEnds('REDIS_SENTINEL_USER', user);
  if (!/^rediss?\+sentinel:/.test(url ?? '')) {
    env.fault(
      'REDIS_SENTINEL_PASSWORD',
      'something',
      'a REDIS_URL that begins with redis+sentinel:// or rediss+sentinel://',
    );
  }
  if (!hasPassword) env.fault('REDIS_SENTINEL_PASSWORD', 'nothing', 'a password, since REDIS_SENTINEL_USER is set');
  return password && { user, password };
}

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
