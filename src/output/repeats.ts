// Lines of the log that repeat: the first of a kind is written at once, the others are counted.

import type { Logger, LogWrite } from '../log.js';

/** How often it is written how many lines of a kind were left out, ms. */
const EVERY_MS = 60_000;
/** Kinds that are told apart; all others count as one kind, so that callers cannot fill the log with kinds. */
const MAX_KINDS = 32;
const OTHERS = 'others';

/** One kind of line, and how many of it were left out since the last one. */
interface Kind {
  left: number;
  readonly write: LogWrite;
  readonly message: string;
  readonly timer: NodeJS.Timeout;
}

export type Level = 'debug' | 'info' | 'warn' | 'error';

export class Repeats {
  readonly #log: () => Logger;
  readonly #everyMs: number;
  readonly #kinds = new Map<string, Kind>();

  /** @param log the log at the time of a line */
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
      known.left++;
      return;
    }
    const write: LogWrite = (own, text) => this.#log()[level](own, text);
    const timer = setInterval(() => this.#next(counted), this.#everyMs).unref();
    this.#kinds.set(counted, { left: 0, write, message, timer });
    write(fields, message);
  }

  /** Writes what was counted, and counts no more. */
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

/** @returns whether there was anything to write */
function writeCount(kind: Kind): boolean {
  const { left, write, message } = kind;
  kind.left = 0;
  if (left > 0) write({ more: left }, `${message}: ${left} more like this`);
  return left > 0;
}
