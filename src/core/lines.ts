// Owns the lines of the ledger, in the order in which they were acknowledged: the last ones, so many at most.

import { MAX_LEDGER } from './policy.js';
import type { EntryKey } from './ports.js';

/** What was acknowledged. */
export interface Line {
  readonly shard: number;
  readonly key: EntryKey;
  readonly text: string;
  readonly keptUntilMs: number;
  readonly notedMs: number;
}

export const nameOf = (key: EntryKey): string => (key.kind === 'session' ? `s ${key.sessionId}` : `u ${key.subject}`);

/** A ring: every refresh adds a line, and a map that is ordered anew each time would cost it more than its signatures. */
export class Lines {
  readonly #ring: (Line | undefined)[] = [];
  readonly #isPast: (line: Line) => boolean;
  /** How many have come, and how many of those are gone. */
  #come = 0;
  #gone = 0;

  /** @param isPast whether a line is too old to be kept */
  constructor(isPast: (line: Line) => boolean) {
    this.#isPast = isPast;
  }

  add(line: Line): void {
    if (this.#come - this.#gone === MAX_LEDGER) this.#gone++;
    this.#ring[this.#come++ % MAX_LEDGER] = line;
    this.#forgetPast();
  }

  /** Of each entry the last line, the newest first. */
  newestFirst(): Line[] {
    this.#forgetPast();
    const lines = new Map<string, Line>();
    for (let at = this.#come - 1; at >= this.#gone; at--) {
      const line = this.#ring[at % MAX_LEDGER];
      const name = line && nameOf(line.key);
      if (name !== undefined && !lines.has(name)) lines.set(name, line as Line);
    }
    return [...lines.values()];
  }

  #forgetPast(): void {
    for (; this.#gone < this.#come; this.#gone++) {
      const oldest = this.#ring[this.#gone % MAX_LEDGER];
      if (oldest && !this.#isPast(oldest)) return;
      this.#ring[this.#gone % MAX_LEDGER] = undefined;
    }
  }
}
