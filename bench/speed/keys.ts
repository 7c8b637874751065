// The two keys that the bench signs with, as the service reads them and as the bench itself uses them.

import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JwtKeys } from '../../src/adapters/jwt/jwt-keys.js';
import { keyFromPem } from '../../src/adapters/jwt/key-pair.js';
import { keyFromSecret } from '../../src/adapters/jwt/signing-key.js';
import { JWT_SECRET } from '../servers/latchkey.js';

export type Algorithm = 'ES256' | 'HS256';

export interface BenchKey {
  readonly keys: JwtKeys;
  /** The settings with which the service uses it. */
  readonly env: Readonly<Record<string, string>>;
}

/** @param folder where the key file is put */
export function makeKeys(folder: string): Readonly<Record<Algorithm, BenchKey>> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const keysDir = join(folder, 'keys');
  mkdirSync(keysDir);
  writeFileSync(join(keysDir, 'key.pem'), pem, { mode: 0o600 });
  return {
    ES256: { keys: new JwtKeys(keyFromPem(pem)), env: { JWT_KEYS_DIR: keysDir } },
    HS256: { keys: new JwtKeys(keyFromSecret(JWT_SECRET)), env: { JWT_SECRET } },
  };
}
