// The keys of a folder while the process runs: which there are now, which of them signs, and what is logged.

import type { KeyObject } from 'node:crypto';
import {
  type NewestFirst,
  newestFirst,
  rivalOfNewest,
  type ScheduledKey,
  signingKey,
  startDelayMs,
} from '../../core/key-schedule.js';
import type { Keys, Opened, PublicKey } from '../../core/ports.js';
import { JwtKeys } from './jwt-keys.js';
import { type FolderKeys, type KeyFile, KeyFileError, loadKeys } from './key-files.js';
import { type Disk, KeyWatch, type Log } from './key-watch.js';
import type { SigningKey } from './signing-key.js';

export interface Clocks {
  /** The machine's clock, Unix ms: what files are dated by. */
  readonly wallMs: () => number;
  /** A clock that is never set, ms. */
  readonly monotonicMs: () => number;
}

export interface KeyRingOptions {
  readonly folder: string;
  /** How long a new key only verifies, ms. */
  readonly delayMs: number;
  /** The key that signs instead of the newest: one of the folder, or one of the others. */
  readonly activeKid: string | undefined;
  /** Keys from elsewhere, which verify, and sign a retry of what they signed before. */
  readonly others: readonly SigningKey[];
  /** The secrets of djangorestframework-simplejwt, where its tokens are taken over. */
  readonly adopted: readonly KeyObject[];
  readonly log: Log;
  /** Default: the process's. */
  readonly clocks?: Clocks;
  readonly disk?: Disk | undefined;
}

type Held = KeyFile & ScheduledKey;

const CLOSE_DATES =
  'two keys have dates within seconds of each other: nodes may not agree which signs; set JWT_ACTIVE_KID on every node';
const PROCESS_CLOCKS: Clocks = { wallMs: Date.now, monotonicMs: () => performance.now() };

export class KeyRing implements Keys {
  readonly delayMs: number;
  readonly #options: KeyRingOptions;
  readonly #monotonicMs: () => number;
  readonly #watch: KeyWatch;
  #held: NewestFirst<Held>;
  #keys: JwtKeys;
  /** How many keys have come since the start. */
  #added = 0;
  #loggedSigning: string | undefined;
  /** The two keys between which dates do not decide, as they were last reported. */
  #reportedRivals: string | undefined;

  private constructor(options: KeyRingOptions, files: NewestFirst<KeyFile>) {
    const { folder, log, disk, delayMs, clocks = PROCESS_CLOCKS } = options;
    const { monotonicMs } = clocks;
    this.#options = options;
    this.#monotonicMs = monotonicMs;
    this.delayMs = delayMs;
    const [wallMs, nowMs] = [clocks.wallMs(), monotonicMs()];
    this.#held = mapped(files, (file) => ({ ...file, readyMs: nowMs + startDelayMs(file.sinceMs, wallMs, delayMs) }));
    this.#keys = this.#makeKeys();
    this.#watch = new KeyWatch({
      ...{ folder, log, disk, monotonicMs },
      changed: (found) => this.#take(found),
      looked: () => this.#logSigningKey(),
    });
    this.#logSigningKey();
    this.#warnOfRivals();
  }

  /** Reads the folder; `start` has it looked at from then on. @throws KeyFileError */
  static async load(options: KeyRingOptions): Promise<KeyRing> {
    const { folder, activeKid, others } = options;
    const files = await loadKeys(folder);
    if (activeKid !== undefined && ![...files, ...others].some(({ kid }) => kid === activeKid)) {
      const there = files.map(({ kid }) => kid).join(', ');
      throw new KeyFileError(
        `${folder}: it holds no key ${activeKid}, which JWT_ACTIVE_KID names; there are: ${there}`,
      );
    }
    return new KeyRing(options, files);
  }

  /** Looks at the folder every few seconds, until `close`. */
  start(): void {
    this.#watch.start();
  }

  close(): void {
    this.#watch.close();
  }

  /** Looks at the folder now. */
  look(): Promise<void> {
    return this.#watch.look();
  }

  get signingKid(): string {
    const { activeKid, others } = this.#options;
    // JWT_SECRET may go on signing while nodes are given keys in files, one by one.
    if (activeKid !== undefined && others.some(({ kid }) => kid === activeKid)) return activeKid;
    return signingKey(this.#held, activeKid, this.#monotonicMs()).kid;
  }

  open(token: string): Opened {
    return this.#keys.open(token);
  }

  verifies(kid: string): boolean {
    return this.#keys.verifies(kid);
  }

  seal(use: 'access' | 'refresh', claims: Readonly<Record<string, unknown>>, kid: string): string {
    return this.#keys.seal(use, claims, this.#keys.has(kid) ? kid : this.signingKid);
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
   * Takes the folder as it is now. A key that was there before keeps its place in time, whatever its file's date; one
   * whose own file is broken stays. Another's broken file keeps no key alive: that may be the one that has leaked.
   */
  #take({ keys, broken }: FolderKeys): void {
    const { log, activeKid } = this.#options;
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
    for (const { kid, path, key } of missing(this.#held, before)) {
      this.#added++;
      log.info(
        { kid, path, algorithm: key.algorithm, delayMs: this.delayMs },
        'a key was added: it verifies tokens, and may sign after the delay',
      );
    }
    for (const { kid, path } of missing(before, this.#held)) {
      log.info({ kid, path }, 'a key was removed: its tokens are refused');
      if (kid === activeKid) log.error({ kid }, 'the key in JWT_ACTIVE_KID was removed: the newest key signs');
    }
  }

  /** Warns once of each two keys whose dates are too close: on another node the other one may sign. */
  #warnOfRivals(): void {
    const { log, folder, activeKid, others } = this.#options;
    const isNamed = [...this.#held, ...others].some(({ kid }) => kid === activeKid);
    const rival = rivalOfNewest(this.#held, isNamed);
    const kids = rival && [this.#held[0].kid, rival.kid];
    const rivals = kids?.toSorted().join();
    if (rivals === this.#reportedRivals) return;
    this.#reportedRivals = rivals;
    // Each as `kid`: the log takes long random texts in other fields for signatures, and hides them.
    if (kids) log.warn({ folder, keys: kids.map((kid) => ({ kid })) }, CLOSE_DATES);
  }

  /** Tells which key signs whenever that is another one: because files changed, or because time has passed. */
  #logSigningKey(): void {
    const { signingKid: kid } = this;
    if (kid === this.#loggedSigning) return;
    this.#loggedSigning = kid;
    this.#options.log.info({ kid }, 'this key now signs new tokens');
  }
}

const mapped = <A, B>([newest, ...others]: NewestFirst<A>, map: (each: A) => B): NewestFirst<B> => [
  map(newest),
  ...others.map(map),
];

/** What is in the one and not in the other. */
const missing = (held: NewestFirst<Held>, other: NewestFirst<KeyFile>): readonly Held[] =>
  held.filter(({ kid }) => !other.some((each) => each.kid === kid));
