// Owns the lines of the ledger: of each entry the last that was acknowledged of it, the oldest first, so many at most.

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

interface Link {
  readonly name: string;
  readonly line: Line;
  older: Link | undefined;
  newer: Link | undefined;
}

export const nameOf = (key: EntryKey): string => (key.kind === 'session' ? `s ${key.sessionId}` : `u ${key.subject}`);

/**
 * A chain, and a map into it. An entry has one line however often it is acknowledged: who repeats a logout must not push
 * out those of others. A map alone would do, whose order is that of insertion, but to find its oldest it walks over all
 * that were taken out before, and every refresh would pay for that.
 */
export class Lines {
  readonly #links = new Map<string, Link>();
  readonly #isPast: (line: Line) => boolean;
  #oldest: Link | undefined;
  #newest: Link | undefined;

  /** @param isPast whether a line is too old to be kept */
  constructor(isPast: (line: Line) => boolean) {
    this.#isPast = isPast;
  }

  add(line: Line): void {
    const name = nameOf(line.key);
    const before = this.#links.get(name);
    if (before) this.#unlink(before);
    const link: Link = { name, line, older: this.#newest, newer: undefined };
    if (this.#newest) this.#newest.newer = link;
    this.#newest = link;
    this.#oldest ??= link;
    this.#links.set(name, link);
    this.#forget();
  }

  newestFirst(): Line[] {
    this.#forget();
    const lines: Line[] = [];
    for (let link = this.#newest; link; link = link.older) lines.push(link.line);
    return lines;
  }

  #forget(): void {
    while (this.#oldest && (this.#links.size > MAX_LEDGER || this.#isPast(this.#oldest.line))) {
      this.#links.delete(this.#oldest.name);
      this.#unlink(this.#oldest);
    }
  }

  #unlink(link: Link): void {
    const { older, newer } = link;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    // What is dead and old must not keep what is young alive until all memory is looked through.
    link.older = undefined;
    link.newer = undefined;
  }
}
