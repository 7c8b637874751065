// The keys of a folder in a running process: it follows changes, chooses the signing key, and logs both.

import type { KeyObject } from 'node:crypto';
import {
  type NewestFirst,
  newestFirst,
  rivalOfNewest,
  type ScheduledKey,
  signingKey,
  startDelayMs,
} from '../../core/key-schedule.js';
import type { Keys, PublicKey } from '../../core/ports.js';
import type { VerifiedJws } from '../../core/token/verified-jws.js';
import type { Logger } from '../../platform/logger.js';
import { JwtKeys } from './jwt-keys.js';
import { type FolderKeys, type KeyFile, KeyFileError, loadKeys } from './key-files.js';
import { KeyRingLog } from './key-ring-log.js';
import { type Disk, KeyWatch } from './key-watch.js';
import type { SigningKey } from './signing-key.js';

export interface Clocks {
  /** The machine's clock, Unix ms. Dates of files use it. */
  readonly wallMs: () => number;
  /** A monotonic clock, ms. */
  readonly monotonicMs: () => number;
}

export interface KeyRingOptions {
  readonly folder: string;
  /** How long a new key only verifies, ms. */
  readonly delayMs: number;
  /** The key that signs instead of the newest one: in the folder, or one of `others`. */
  readonly activeKid: string | undefined;
  /** Keys from outside the folder. They verify, and sign the replay of a pair that they signed before. */
  readonly others: readonly SigningKey[];
  /** The secrets of djangorestframework-simplejwt, if its tokens are accepted. */
  readonly adopted: readonly KeyObject[];
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Default: the process's. */
  readonly clocks?: Clocks;
  readonly disk?: Disk | undefined;
}

type Held = KeyFile & ScheduledKey;

const PROCESS_CLOCKS: Clocks = { wallMs: Date.now, monotonicMs: () => performance.now() };

export class KeyRing implements Keys {
  readonly delayMs: number;
  readonly #options: KeyRingOptions;
  readonly #monotonicMs: () => number;
  readonly #watch: KeyWatch;
  readonly #log: KeyRingLog;
  #held: NewestFirst<Held>;
  #keys: JwtKeys;
  /** How many keys were added since the start. */
  #added = 0;

  private constructor(options: KeyRingOptions, files: NewestFirst<KeyFile>) {
    const { folder, log, disk, delayMs, clocks = PROCESS_CLOCKS } = options;
    const { monotonicMs } = clocks;
    this.#options = options;
    this.#monotonicMs = monotonicMs;
    this.delayMs = delayMs;
    this.#log = new KeyRingLog(options);
    const [wallMs, nowMs] = [clocks.wallMs(), monotonicMs()];
    this.#held = mapped(files, (file) => ({ ...file, readyMs: nowMs + startDelayMs(file.sinceMs, wallMs, delayMs) }));
    this.#keys = this.#makeKeys();
    this.#watch = new KeyWatch({
      ...{ folder, log, disk, monotonicMs },
      changed: (found) => this.#take(found),
      looked: () => this.#log.signing(this.signingKid),
    });
    this.#log.signing(this.signingKid);
    this.#warnOfRivals();
  }

  /** Reads the folder. `start` begins to watch it. @throws KeyFileError */
  static async load(options: KeyRingOptions): Promise<KeyRing> {
    const { folder, activeKid, others } = options;
    const files = await loadKeys(folder);
    if (activeKid !== undefined && ![...files, ...others].some(({ kid }) => kid === activeKid)) {
      const there = files.map(({ kid }) => kid).join(', ');
      throw new KeyFileError(
        `${folder}: it contains no key ${activeKid}, which JWT_ACTIVE_KID names; its keys are: ${there}`,
      );
    }
    return new KeyRing(options, files);
  }

  /** Checks the folder every few seconds, until `close`. */
  start(): void {
    this.#watch.start();
  }

  close(): void {
    this.#watch.close();
  }

  /** Checks the folder now. */
  look(): Promise<void> {
    return this.#watch.look();
  }

  get signingKid(): string {
    const { activeKid, others } = this.#options;
    // JWT_SECRET can continue to sign while key files are added to one node after the other.
    if (activeKid !== undefined && others.some(({ kid }) => kid === activeKid)) return activeKid;
    return signingKey(this.#held, activeKid, this.#monotonicMs()).kid;
  }

  /** The date of the file of the key that signs, Unix ms; undefined: a secret signs. */
  get signingSinceMs(): number | undefined {
    const { signingKid } = this;
    return this.#held.find(({ kid }) => kid === signingKid)?.sinceMs;
  }

  verify(token: string): VerifiedJws {
    return this.#keys.verify(token);
  }

  accepts(kid: string): boolean {
    return this.#keys.accepts(kid);
  }

  sign(use: 'access' | 'refresh', claims: Readonly<Record<string, unknown>>, kid: string): string {
    return this.#keys.sign(use, claims, this.#keys.has(kid) ? kid : this.signingKid);
  }

  signIntrospection(claims: Readonly<Record<string, unknown>>): string | undefined {
    return this.#keys.signIntrospection(claims, this.signingKid);
  }

  publicKeys(): readonly PublicKey[] {
    return this.#keys.publicKeys();
  }

  async rescan(): Promise<boolean> {
    const before = this.#added;
    await this.#watch.rescan();
    return this.#added > before;
  }

  #makeKeys(): JwtKeys {
    const [newest, ...older] = this.#held;
    const { others, adopted } = this.#options;
    return new JwtKeys(newest.key, [...older.map(({ key }) => key), ...others], ...adopted);
  }

  /**
   * Applies the current content of the folder. A known key keeps its ready time, whatever the date of its file. A key
   * stays if its own file is now invalid. An invalid file does not keep other keys alive: one may be removed after a
   * leak.
   */
  #take({ keys, broken }: FolderKeys): void {
    const before = this.#held;
    const kept = missing(before, keys).filter(({ path }) => broken.includes(path));
    const [newest = keys[0], ...older] = [...keys, ...kept].sort(newestFirst);
    const untilMs = this.#monotonicMs() + this.delayMs;
    this.#held = mapped([newest, ...older], (file) => ({
      ...file,
      readyMs: before.find(({ kid }) => kid === file.kid)?.readyMs ?? untilMs,
    }));
    this.#keys = this.#makeKeys();
    this.#warnOfRivals();
    const added = missing(this.#held, before);
    this.#added += added.length;
    for (const key of added) this.#log.added(key);
    for (const key of missing(before, this.#held)) this.#log.removed(key);
  }

  #warnOfRivals(): void {
    const { activeKid, others } = this.#options;
    const isNamed = [...this.#held, ...others].some(({ kid }) => kid === activeKid);
    this.#log.rivals(this.#held[0], rivalOfNewest(this.#held, isNamed));
  }
}

const mapped = <A, B>([newest, ...others]: NewestFirst<A>, map: (each: A) => B): NewestFirst<B> => [
  map(newest),
  ...others.map(map),
];

/** The keys of the first list that are not in the second. */
const missing = (held: NewestFirst<Held>, other: NewestFirst<KeyFile>): readonly Held[] =>
  held.filter(({ kid }) => !other.some((each) => each.kid === kid));
