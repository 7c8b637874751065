// The watch on a key folder: how often it is checked, how long a check may take, and how errors are logged.

import { setTimeout as after } from 'node:timers/promises';
import { KEY_POLL_MS } from '../../core/key-schedule.js';
import type { Logger } from '../../platform/logger.js';
import { type FolderKeys, fingerprint, KeyFileError, readKeys } from './key-files.js';

/** The least time between two checks because of unknown keys: anyone can invent a token with an unknown `kid`. */
const RESCAN_EVERY_MS = 1_000;
/** How long a token with an unknown `kid` waits for a check. */
const RESCAN_WAIT_MS = 500;
/** A check that takes longer is logged as an error. */
const SLOW_MS = 5_000;
const SLOW = 'the disk does not answer';

/** The methods that read a folder. Tests replace them by a disk that hangs. */
export interface Disk {
  fingerprint(folder: string): Promise<string>;
  readKeys(folder: string): Promise<FolderKeys>;
}

const DISK: Disk = { fingerprint, readKeys };

/** The folder, and the callbacks about it. */
export interface KeyWatchOptions {
  readonly folder: string;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** A monotonic clock, ms. */
  readonly monotonicMs: () => number;
  /** Called after each change with the whole content, if at least one file is valid. */
  readonly changed: (found: FolderKeys) => void;
  /** Called after every check. */
  readonly looked: () => void;
  readonly disk?: Disk | undefined;
}

export class KeyWatch {
  readonly #options: KeyWatchOptions;
  readonly #disk: Disk;
  #underWay: { readonly done: Promise<void>; readonly sinceMs: number } | undefined;
  /** The fingerprint at the last check of the content, and the error found then. */
  #lastCheck: { readonly print: string; readonly fault: KeyFileError | undefined } | undefined;
  #fault: string | undefined;
  #rescannedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeyWatchOptions) {
    this.#options = options;
    this.#disk = options.disk ?? DISK;
  }

  /** Checks every few seconds from now on, until `close`. */
  start(): void {
    this.#timer ??= setInterval(() => void this.look(), KEY_POLL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Checks the folder. Concurrent calls share one check. Never rejects. */
  look(): Promise<void> {
    const nowMs = this.#options.monotonicMs();
    if (this.#underWay && nowMs - this.#underWay.sinceMs >= SLOW_MS) this.#logFault(SLOW);
    if (!this.#underWay) {
      const done = this.#look().finally(() => {
        this.#underWay = undefined;
        this.#options.looked();
      });
      this.#underWay = { done, sinceMs: nowMs };
    }
    return this.#underWay.done;
  }

  /** Checks because of an unknown `kid`: at most once in RESCAN_EVERY_MS, and waits at most RESCAN_WAIT_MS. */
  async rescan(): Promise<void> {
    const nowMs = this.#options.monotonicMs();
    if (this.#underWay) {
      // Do not wait for a check that hangs.
      if (nowMs - this.#underWay.sinceMs >= RESCAN_WAIT_MS) return;
    } else {
      if (nowMs - this.#rescannedMs < RESCAN_EVERY_MS) return;
      this.#rescannedMs = nowMs;
    }
    const waited = new AbortController();
    const late = after(RESCAN_WAIT_MS, undefined, { ref: false, signal: waited.signal }).catch(() => {});
    await Promise.race([this.look(), late]);
    waited.abort();
  }

  async #look(): Promise<void> {
    try {
      await this.#read().catch((error: unknown) => {
        // Files may change between two steps of a check. A lasting error occurs again in this second attempt.
        if (error instanceof KeyFileError && error.isTransient) return this.#read();
        throw error;
      });
      this.#logFault(undefined);
    } catch (error) {
      this.#logFault(error instanceof Error ? error.message : String(error));
    }
  }

  /** Reads the files if they have changed. @throws KeyFileError, again for unchanged invalid files */
  async #read(): Promise<void> {
    const { folder, changed } = this.#options;
    const print = await this.#disk.fingerprint(folder);
    if (print === this.#lastCheck?.print) {
      if (this.#lastCheck.fault) throw this.#lastCheck.fault;
      return;
    }
    this.#lastCheck = undefined;
    let fault: KeyFileError | undefined;
    try {
      const found = await this.#disk.readKeys(folder);
      changed(found);
      fault = found.fault;
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw error;
      fault = error;
    }
    if (!fault?.isTransient) this.#lastCheck = { print, fault };
    if (fault) throw fault;
  }

  /** Logs each error once, and when it is resolved. */
  #logFault(fault: string | undefined): void {
    if (fault === this.#fault) return;
    const { log, folder } = this.#options;
    this.#fault = fault;
    if (fault === undefined) log.info({ folder }, 'the key folder is valid again');
    else log.error({ folder, detail: fault }, 'the key folder has errors: keys that cannot be read stay as they were');
  }
}
