// A folder of keys on stage: files by name and date, clocks moved by hand, a disk that counts, and a ring on it.

import { chmodSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FolderKeys, fingerprint, makeKey, readKeys, writeKey } from '../../../src/adapters/jwt/key-files.js';
import { KeyRing, type KeyRingOptions } from '../../../src/adapters/jwt/key-ring.js';
import { TokenRefused } from '../../../src/core/token/errors.js';
import { RecordingLog } from '../../support/recording-log.js';
import { DAY, MINUTE } from '../../support/world.js';

const CLAIMS = { token_type: 'access', sub: 'alice' };

export class KeyFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'latchkey-ring-'));
  readonly log = new RecordingLog();
  /** The machine's clock, Unix ms; and one that is never set. */
  wallMs = 20_000 * DAY;
  monotonicMs = 5_000;
  /** How often names were looked at, and files read. */
  looks = 0;
  reads = 0;
  /** What happens in a look before the names are seen: it may wait, or throw. */
  weather: () => unknown = () => {};

  /** Lets time pass on both clocks. */
  pass(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
  }

  /** Adds a key. @param agoMs its date, counted back from now */
  add(name: string, agoMs = 0, algorithm: 'ES256' | 'RS256' = 'ES256'): string {
    const { pem, kid } = makeKey(algorithm);
    this.date(writeKey(this.path, name, pem), agoMs);
    return kid;
  }

  date(path: string, agoMs: number): void {
    const at = new Date(this.wallMs - agoMs);
    utimesSync(path, at, at);
  }

  file(name: string): string {
    return join(this.path, `${name}.pem`);
  }

  open(options: Partial<KeyRingOptions> = {}): Promise<KeyRing> {
    return KeyRing.load({
      ...{ folder: this.path, delayMs: MINUTE, activeKid: undefined, others: [], adopted: [], log: this.log },
      clocks: { wallMs: () => this.wallMs, monotonicMs: () => this.monotonicMs },
      disk: {
        fingerprint: async (folder: string): Promise<string> => {
          this.looks++;
          await this.weather();
          return fingerprint(folder);
        },
        readKeys: (folder: string): Promise<FolderKeys> => {
          this.reads++;
          return readKeys(folder);
        },
      },
      ...options,
    });
  }

  remove(): void {
    chmodSync(this.path, 0o700);
    rmSync(this.path, { recursive: true });
  }
}

/** An access token; by the key that signs if no other is named. */
export const tokenOf = (ring: KeyRing, kid = ring.signingKid): string => ring.sign('access', CLAIMS, kid);

/** `good`, or the problem. */
export function verdict(ring: KeyRing, token: string): string {
  try {
    ring.verify(token);
    return 'good';
  } catch (error) {
    if (error instanceof TokenRefused) return error.problem;
    throw error;
  }
}
