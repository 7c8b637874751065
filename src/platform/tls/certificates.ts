// The TLS certificates of a running process: reloaded when their files change, with warnings before they expire.

import type { Logger } from '../log.js';
import { readTls, stampOf, type TlsFiles, type TlsMaterial, type Validity } from './pem.js';

/** How often the files are checked. */
const LOOK_EVERY_MS = 2_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** When warnings before the end of a certificate begin, and how often they repeat. */
const WARN_BEFORE_MS = 14 * DAY_MS;
const WARN_EVERY_MS = DAY_MS;

export interface CertificatesOptions {
  readonly lookEveryMs?: number;
  /** Unix ms. */
  readonly now?: () => number;
}

type Log = Pick<Logger, 'info' | 'warn' | 'error'>;

export class Certificates {
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<(material: TlsMaterial) => void>();
  /** The last warning for each file, and its time. */
  readonly #warned = new Map<string, { readonly text: string; readonly atMs: number }>();
  #current: TlsMaterial;
  #stamp: string;
  #fault: string | undefined;

  /** Reads the files, and checks them for changes until it is closed. @throws TlsFileError */
  constructor(files: TlsFiles, log: Log, { lookEveryMs = LOOK_EVERY_MS, now = Date.now }: CertificatesOptions = {}) {
    this.#files = files;
    this.#log = log;
    this.#now = now;
    // The stamp comes first, so that a write during the read counts as a change.
    this.#stamp = stampOf(files);
    this.#current = readTls(files);
    const certificates = this.#current.validities.map(shown);
    if (certificates.length > 0) log.info({ certificates }, 'TLS certificates in use');
    this.#warn();
    this.#timer = setInterval(() => this.refresh(), lookEveryMs).unref();
  }

  /** The last valid content of the files. */
  get current(): TlsMaterial {
    return this.#current;
  }

  /** The same, after a check of the files. For new connections. */
  fresh(): TlsMaterial {
    this.refresh();
    return this.#current;
  }

  /** Calls the listener with every new material. */
  watch(listener: (material: TlsMaterial) => void): void {
    this.#listeners.add(listener);
  }

  /** Loads changed files if they are valid. Never throws: otherwise the current material stays in use. */
  refresh(): void {
    const stamp = stampOf(this.#files);
    // An unreadable file may become readable without being written.
    if (stamp !== this.#stamp || this.#fault !== undefined) this.#read();
    this.#stamp = stamp;
    this.#warn();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #read(): void {
    let material: TlsMaterial;
    try {
      material = readTls(this.#files);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (detail !== this.#fault)
        this.#log.error({ detail }, 'TLS files cannot be used: the current certificates stay in use');
      this.#fault = detail;
      return;
    }
    const isRepaired = this.#fault !== undefined;
    this.#fault = undefined;
    const same = (['cert', 'key', 'ca'] as const).every((part) => equal(material.pem[part], this.#current.pem[part]));
    if (same && isRepaired) this.#log.info({}, 'TLS files are valid again, and unchanged');
    if (same) return;
    this.#current = material;
    this.#log.info({ certificates: material.validities.map(shown) }, 'new TLS certificates in use');
    for (const listener of this.#listeners) listener(material);
  }

  #warn(): void {
    const nowMs = this.#now();
    for (const validity of this.#current.validities) {
      const text = warningFor(validity, nowMs);
      const last = this.#warned.get(validity.file);
      if (text === undefined) this.#warned.delete(validity.file);
      else if (text !== last?.text || nowMs - last.atMs >= WARN_EVERY_MS) {
        this.#warned.set(validity.file, { text, atMs: nowMs });
        this.#log.warn(shown(validity), text);
      }
    }
  }
}

function warningFor({ notBeforeMs, notAfterMs }: Validity, nowMs: number): string | undefined {
  if (nowMs >= notAfterMs) return 'a TLS certificate in use has expired';
  if (nowMs < notBeforeMs) return 'a TLS certificate in use is not valid yet';
  return notAfterMs - nowMs < WARN_BEFORE_MS ? 'a TLS certificate in use is about to expire' : undefined;
}

const shown = ({ file, notAfterMs }: Validity) => ({ file, notAfter: new Date(notAfterMs).toISOString() });

const equal = (one: Buffer | undefined, other: Buffer | undefined): boolean =>
  one === undefined || other === undefined ? one === other : one.equals(other);
