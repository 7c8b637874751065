// The log lines about failing writes: one when they begin to fail, and one when they succeed again.

import type { Logger } from '../../platform/logger.js';

/**
 * The time without a failed write after which the problem counts as over, ms. A full disk may still allow a few writes.
 */
const STEADY_MS = 2_000;

export class WriteFaults {
  readonly #log: Pick<Logger, 'info' | 'error'>;
  readonly #monotonicMs: () => number;
  readonly #hasRoom: () => boolean;
  #failing = false;
  #failedAtMs = 0;

  /** @param hasRoom whether the disk has room */
  constructor(log: Pick<Logger, 'info' | 'error'>, monotonicMs: () => number, hasRoom: () => boolean) {
    this.#log = log;
    this.#hasRoom = hasRoom;
    this.#monotonicMs = monotonicMs;
  }

  /** Call it when a write has failed, or when the disk is full. */
  failed(err: unknown): void {
    this.#failedAtMs = this.#monotonicMs();
    if (this.#failing) return;
    this.#failing = true;
    this.#log.error(
      { err },
      'the data folder cannot be written: tokens are validated, refreshes and logouts are refused',
    );
  }

  /** Call it when a write is on the disk. */
  succeeded(): void {
    if (!this.#failing || this.#monotonicMs() - this.#failedAtMs < STEADY_MS || !this.#hasRoom()) return;
    this.#failing = false;
    this.#log.info({}, 'the data folder can be written again');
  }
}
