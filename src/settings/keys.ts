// The settings of the signing keys: secrets, the folder of key files, and which key of the folder signs.

import type { Environment, Secret } from '../platform/env.js';

/** The signing keys. At least one is set, unless the process may create its own. */
export interface KeySettings {
  readonly secret: Secret | undefined;
  /** The previous or the next secret. It only verifies. */
  readonly fallback: Secret | undefined;
  readonly folder: string | undefined;
  /** The key in the folder that signs; undefined: the newest. */
  readonly activeKid: string | undefined;
  /** How long a new key in the folder only verifies, ms. */
  readonly delayMs: number;
  /** Whether tokens of djangorestframework-simplejwt are accepted, verified with the secrets. */
  readonly adopt: boolean;
}

/** The least length of JWT_SECRET, bytes (RFC 7518, section 3.2). */
const MIN_SECRET_BYTES = 32;
const MOST_DELAY_MS = 30 * 24 * 60 * 60 * 1000;

/** @param mayMakeOne whether the process creates a key in a folder of its own if none is set */
export function readKeySettings(env: Environment, mayMakeOne: boolean): KeySettings {
  const secret = env.secret('JWT_SECRET', { minBytes: MIN_SECRET_BYTES });
  const fallback = readFallback(env, secret);
  const adopt = env.choice('ADOPT_TOKENS', ['simplejwt']) === 'simplejwt';
  const hasSecret = env.isSecretSet('JWT_SECRET');
  const { folder, activeKid, delayMs } = readKeyFolderSettings(env);
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

/** The settings of keys in files. */
export function readKeyFolderSettings(env: Environment): Pick<KeySettings, 'folder' | 'activeKid' | 'delayMs'> {
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
    env.fault('JWT_SECRET_FALLBACK', 'the same as JWT_SECRET', 'the previous secret, or the next one');
  }
  return fallback;
}
