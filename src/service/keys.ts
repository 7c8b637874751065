// The keys of the service, from its settings: the files of a folder, or secrets.

import { createSecretKey } from 'node:crypto';
import { JwtKeys } from '../adapters/jwt/jwt-keys.js';
import { keyFromSecret } from '../adapters/jwt/signing-key.js';
import type { Keys } from '../core/ports.js';
import type { Logger } from '../platform/log.js';
import type { KeySettings } from '../settings/keys.js';

/** The keys and their life cycle. */
export interface OwnedKeys {
  readonly keys: Keys;
  /** The date of the key that signs, Unix ms; undefined: it has none. */
  signingSinceMs(): number | undefined;
  /** Starts to watch for added and removed keys. */
  watch(): void;
  close(): void;
}

/**
 * PEM keys sign if there are any, and secrets verify tokens that they signed before. An exception are the secrets of
 * simplejwt: every Django process has those, and could sign tokens like ours, so they verify adopted tokens only.
 * @throws KeyFileError
 */
export async function openKeys(settings: KeySettings, log: Logger): Promise<OwnedKeys> {
  const { secret, fallback, folder, activeKid, delayMs, adopt } = settings;
  const secrets = [secret, fallback].flatMap((each) => (each ? [each.reveal()] : []));
  const ours = adopt && folder !== undefined ? [] : secrets.map(keyFromSecret);
  const adopted = adopt ? secrets.map((each) => createSecretKey(each, 'utf8')) : [];
  if (folder !== undefined) {
    const { KeyRing } = await import('../adapters/jwt/key-ring.js');
    const ring = await KeyRing.load({ folder, activeKid, delayMs, others: ours, adopted, log });
    const signingSinceMs = () => ring.signingSinceMs;
    return { keys: ring, signingSinceMs, watch: () => ring.start(), close: () => ring.close() };
  }
  const [signing, ...others] = ours;
  if (!signing) throw new Error('no signing key: set JWT_KEYS_DIR or JWT_SECRET');
  const keys = new JwtKeys(signing, others, ...adopted);
  return { keys, signingSinceMs: () => undefined, watch: () => {}, close: () => {} };
}
