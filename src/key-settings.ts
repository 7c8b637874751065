// The settings of keys: what tokens are signed and verified with, and which key of a folder signs when.

import type { Environment, Secret } from './env.js';

/** What pairs are signed with. At least one is there, unless the process may make its own. */
export interface KeySettings {
  readonly secret: Secret | undefined;
  /** A second one, of before or after `secret`, which only verifies. */
  readonly fallback: Secret | undefined;
  readonly folder: string | undefined;
  /** The key in the folder that signs; undefined: the newest. */
  readonly activeKid: string | undefined;
  /** How long a new key in the folder only verifies, ms. */
  readonly delayMs: number;
  /** Whether tokens of djangorestframework-simplejwt are taken over, verified with the secrets. */
  readonly adopt: boolean;
}

/** The least length of JWT_SECRET, bytes (RFC 7518, section 3.2). */
const MIN_SECRET_BYTES = 32;
const MOST_DELAY_MS = 30 * 24 * 60 * 60 * 1000;

/** @param mayMakeOne whether the process makes a key in a folder of its own where nothing is named */
export function readKeys(env: Environment, mayMakeOne: boolean): KeySettings {
  const secret = env.secret('JWT_SECRET', { minBytes: MIN_SECRET_BYTES });
  const fallback = readFallback(env, secret);
  const adopt = env.choice('ADOPT_TOKENS', ['simplejwt']) === 'simplejwt';
  const hasSecret = env.isSecretSet('JWT_SECRET');
  const { folder, activeKid, delayMs } = readKeyFolder(env);
  if (!hasSecret && folder === undefined && !mayMakeOne) {
    const wanted = 'one of them: a folder of PEM private keys, or a secret of at least 32 bytes';
    env.fault('JWT_KEYS_DIR or JWT_SECRET', 'neither', wanted);
  }
  if (activeKid !== undefined && folder === undefined && (hasSecret || !mayMakeOne)) {
    env.fault('JWT_ACTIVE_KID', 'a key without a folder', 'JWT_KEYS_DIR beside it, or nothing');
  }
  if (adopt && !hasSecret) {
    env.fault('JWT_SECRET', 'nothing', 'the SIGNING_KEY of simplejwt, since ADOPT_TOKENS takes over its tokens');
  }
  return { secret, fallback, folder, activeKid, delayMs, adopt };
}

/** What is said of keys in files. */
export function readKeyFolder(env: Environment): Pick<KeySettings, 'folder' | 'activeKid' | 'delayMs'> {
  return {
    folder: env.text('JWT_KEYS_DIR'),
    activeKid: env.text('JWT_ACTIVE_KID'),
    delayMs: env.duration('JWT_KEY_DELAY', '1m', { min: 0, max: MOST_DELAY_MS }),
  };
}

function readFallback(env: Environment, secret: Secret | undefined): Secret | undefined {
  const fallback = env.secret('JWT_SECRET_FALLBACK', { minBytes: MIN_SECRET_BYTES });
  if (fallback && !env.isSecretSet('JWT_SECRET')) {
    env.fault('JWT_SECRET_FALLBACK', 'a secret alone', 'JWT_SECRET beside it, which signs');
  }
  if (fallback && secret && fallback.reveal() === secret.reveal()) {
    env.fault('JWT_SECRET_FALLBACK', 'the same as JWT_SECRET', 'the secret of before, or the next one');
  }
  return fallback;
}
