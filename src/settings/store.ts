// The settings of the store: Redis or the embedded store, and the credentials of Sentinels.

import { type Credentials, redisUrlFault } from '../adapters/redis/url.js';
import type { Environment, Secret } from '../platform/env.js';
import type { TlsFiles } from '../platform/tls/pem.js';
import { DEV_DATA_DIR, type Mode } from './mode.js';
import { readRedisTls } from './tls.js';

const MOST_REPLICAS = 100;

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
