// Repeated log lines: the first of a kind is written at once, later ones are counted.

import type { Logger, LogWrite } from '../log.js';

/** How often the number of suppressed lines is reported, ms. */
const EVERY_MS = 60_000;
/** The most kinds. All further kinds count as one, so that callers cannot fill the log with new kinds. */
const MAX_KINDS = 32;
const OTHERS = 'others';

/** One kind of line, and how many were suppressed since the last report. */
interface Kind {
  suppressed: number;
  readonly write: LogWrite;
  readonly message: string;
  readonly timer: NodeJS.Timeout;
}

export type Level = 'debug' | 'info' | 'warn' | 'error';

export class Repeats {
  readonly #log: () => Logger;
  readonly #everyMs: number;
  readonly #kinds = new Map<string, Kind>();

  /** @param log returns the current log */
  constructor(log: () => Logger, everyMs = EVERY_MS) {
    this.#log = log;
    this.#everyMs = everyMs;
    process.on('exit', this.#writeAll);
  }

  /** Writes a line, or counts it if one of its kind was written in the last minute. */
  write(kind: string, level: Level, fields: Readonly<Record<string, unknown>>, message: string): void {
    const counted = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS ? kind : OTHERS;
    const known = this.#kinds.get(counted);
    if (known) {
      known.suppressed++;
      return;
    }
    const write: LogWrite = (own, text) => this.#log()[level](own, text);
    const timer = setInterval(() => this.#next(counted), this.#everyMs).unref();
    this.#kinds.set(counted, { suppressed: 0, write, message, timer });
    write(fields, message);
  }

  /** Reports the suppressed lines, and stops. */
  close(): void {
    this.#writeAll();
    for (const { timer } of this.#kinds.values()) clearInterval(timer);
    this.#kinds.clear();
    process.off('exit', this.#writeAll);
  }

  readonly #writeAll = (): void => {
    for (const kind of this.#kinds.values()) writeCount(kind);
  };

  #next(name: string): void {
    const kind = this.#kinds.get(name);
    if (!kind || writeCount(kind)) return;
    clearInterval(kind.timer);
    this.#kinds.delete(name);
  }
}

/** @returns whether lines were suppressed */
function writeCount(kind: Kind): boolean {
  const { suppressed, write, message } = kind;
  kind.suppressed = 0;
  if (suppressed > 0) write({ more: suppressed }, `${message}: ${suppressed} more like this`);
  return suppressed > 0;
}
