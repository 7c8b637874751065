// The count of refused calls, and the log lines about them: at the start of an overload, in each period, at the end.

import type { Logger } from '../../platform/log.js';
import type { Counter } from '../../platform/metrics/meter.js';

/** One line per refused call would let a flood fill the log. */
const REPORT_MS = 5_000;

export class OverloadLog {
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #reportMs: number;
  readonly #counter: Counter | undefined;
  #reporting: NodeJS.Timeout | undefined;
  /** The number of refused calls since the last line, and since the overload began. */
  #refused = { lately: 0, inAll: 0 };

  /** @param reportMs the time between two lines */
  constructor(log: Pick<Logger, 'info' | 'warn'>, reportMs = REPORT_MS, counter?: Counter) {
    this.#log = log;
    this.#counter = counter;
    this.#reportMs = reportMs;
  }

  /** Counts one refused call. */
  count(): void {
    this.#counter?.add();
    this.#refused.lately++;
    this.#refused.inAll++;
    if (this.#reporting) return;
    this.#log.warn({}, 'overloaded: calls are refused');
    this.#reporting = setInterval(() => this.#report(), this.#reportMs).unref();
  }

  /** Reports the refusals that no line has reported yet. */
  close(): void {
    if (this.#reporting) this.#end();
  }

  #report(): void {
    const { lately, inAll } = this.#refused;
    this.#refused.lately = 0;
    if (lately === 0) this.#end();
    else this.#log.warn({ refused: lately, refusedInAll: inAll }, 'overloaded: calls were refused');
  }

  #end(): void {
    clearInterval(this.#reporting);
    this.#reporting = undefined;
    this.#log.info({ refusedInAll: this.#refused.inAll }, 'the overload is over');
    this.#refused = { lately: 0, inAll: 0 };
  }
}
