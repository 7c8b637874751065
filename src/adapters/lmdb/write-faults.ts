// What the log says of writes that fail: once when they begin to fail, and once when they succeed again.

import type { Log } from './sweeper.js';

export class WriteFaults {
  readonly #log: Log;
  #failing = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** A write has failed, or would: the disk is full. */
  failed(err: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#log.error(
      { err },
      'the data folder cannot be written: tokens are validated, refreshes and logouts are refused',
    );
  }

  /** A write is on the disk. */
  succeeded(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#log.info({}, 'the data folder can be written again');
  }
}
