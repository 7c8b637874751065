// Owns looking at a folder of keys while the process runs: when, how often, how patiently, and what the log hears of it.

import { setTimeout as after } from 'node:timers/promises';
import { KEY_POLL_MS } from '../../core/key-schedule.js';
import { type FolderKeys, fingerprint, KeyFileError, readKeys } from './key-files.js';

/** Unknown keys have the folder looked at this often at most: anybody can make up a token. */
const RESCAN_EVERY_MS = 1_000;
/** How long a token of an unknown key waits for the folder. */
const RESCAN_WAIT_MS = 500;
/** A look that takes longer is worth an error. */
const SLOW_MS = 5_000;
const SLOW = 'the disk does not answer';

type LogWrite = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** As much of a logger as the adapter uses. */
export interface Log {
  readonly info: LogWrite;
  readonly warn: LogWrite;
  readonly error: LogWrite;
}

/** How a folder is read; tests put a disk that hangs in its place. */
export interface Disk {
  fingerprint(folder: string): Promise<string>;
  readKeys(folder: string): Promise<FolderKeys>;
}

const DISK: Disk = { fingerprint, readKeys };

/** Whoever watches a folder, and hears of it what has changed. */
export interface KeyWatchOptions {
  readonly folder: string;
  readonly log: Log;
  /** A clock that is never set, ms. */
  readonly monotonicMs: () => number;
  /** Hears of each change, the whole folder anew; not where no file is in order. */
  readonly changed: (found: FolderKeys) => void;
  /** Hears that the folder was looked at, whatever came of it. */
  readonly looked: () => void;
  readonly disk?: Disk | undefined;
}

export class KeyWatch {
  readonly #options: KeyWatchOptions;
  readonly #disk: Disk;
  #underWay: { readonly done: Promise<void>; readonly sinceMs: number } | undefined;
  /** What the files were when they were last judged, and the verdict if that was bad. */
  #judged: { readonly print: string; readonly fault: KeyFileError | undefined } | undefined;
  #fault: string | undefined;
  #rescannedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeyWatchOptions) {
    this.#options = options;
    this.#disk = options.disk ?? DISK;
  }

  /** Looks every few seconds from now on, until `close`. */
  start(): void {
    this.#timer ??= setInterval(() => void this.look(), KEY_POLL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Looks at the folder, once for all who ask meanwhile. Never rejects. */
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

  /** Looks for a token of an unknown key; at most so often, and waited for at most so long. */
  async rescan(): Promise<void> {
    const nowMs = this.#options.monotonicMs();
    if (this.#underWay) {
      // One that hangs is not waited for by all who come while it does.
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
        // Files come and go between two steps of one look; what is wrong for longer is wrong at once again.
        if (error instanceof KeyFileError && error.passing) return this.#read();
        throw error;
      });
      this.#logFault(undefined);
    } catch (error) {
      this.#logFault(error instanceof Error ? error.message : String(error));
    }
  }

  /** Tells of the files if they are others than before. @throws KeyFileError, also where they are as bad as before */
  async #read(): Promise<void> {
    const { folder, changed } = this.#options;
    const print = await this.#disk.fingerprint(folder);
    if (print === this.#judged?.print) {
      if (this.#judged.fault) throw this.#judged.fault;
      return;
    }
    this.#judged = undefined;
    let fault: KeyFileError | undefined;
    try {
      const found = await this.#disk.readKeys(folder);
      changed(found);
      fault = found.fault;
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw error;
      fault = error;
    }
    if (!fault?.passing) this.#judged = { print, fault };
    if (fault) throw fault;
  }

  /** Tells each fault once, and its end. */
  #logFault(fault: string | undefined): void {
    if (fault === this.#fault) return;
    const { log, folder } = this.#options;
    this.#fault = fault;
    if (fault === undefined) log.info({ folder }, 'the key folder is valid again');
    else log.error({ folder, detail: fault }, 'the key folder has errors: keys that cannot be read stay as they were');
  }
}
