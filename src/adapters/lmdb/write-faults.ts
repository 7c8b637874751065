// What the log says of writes that fail: once when they begin to fail, and once when they succeed again.

import type { Log } from './sweeper.js';

/** How long no write may have failed until it counts as over, ms. On a full disk the file may have room for a few. */
const STEADY_MS = 2_000;

export class WriteFaults {
  readonly #log: Log;
  readonly #monotonicMs: () => number;
  readonly #hasRoom: () => boolean;
  #failing = false;
  #failedAtMs = 0;

  /** @param hasRoom whether the disk has room */
  constructor(log: Log, monotonicMs: () => number, hasRoom: () => boolean) {
    this.#log = log;
    this.#hasRoom = hasRoom;
    this.#monotonicMs = monotonicMs;
  }

  /** A write has failed, or would: the disk is full. */
  failed(err: unknown): void {
    this.#failedAtMs = this.#monotonicMs();
    if (this.#failing) return;
    this.#failing = true;
    this.#log.error(
      { err },
      'the data folder cannot be written: tokens are validated, refreshes and logouts are refused',
    );
  }

  /** A write is on the disk. */
  succeeded(): void {
    if (!this.#failing || this.#monotonicMs() - this.#failedAtMs < STEADY_MS || !this.#hasRoom()) return;
    this.#failing = false;
    this.#log.info({}, 'the data folder can be written again');
  }
}
