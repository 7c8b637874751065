// A doubly linked list of the ledger's lines, in the order in which they were acknowledged, with a bound.

import type { EntryKey } from './ports.js';

/** What was acknowledged. */
export interface Line {
  readonly shard: number;
  readonly key: EntryKey;
  readonly text: string;
  readonly keptUntilMs: number;
  /** When it was acknowledged last, the store's time, Unix ms. */
  readonly notedMs: number;
  /** The server that it was acknowledged for. */
  readonly incarnation: string | undefined;
}

/** One line in a chain. */
export interface Link {
  readonly name: string;
  line: Line;
  /** How far the line's entry has moved forward; see `further.ts`. */
  progress: number;
  /** Counts up over all chains. */
  readonly order: number;
  older: Link | undefined;
  newer: Link | undefined;
}

export class Chain {
  readonly #limit: number;
  #size = 0;
  #oldest: Link | undefined;
  #newest: Link | undefined;

  /** @param limit the most links */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get oldest(): Link | undefined {
    return this.#oldest;
  }

  get newest(): Link | undefined {
    return this.#newest;
  }

  get isOverfull(): boolean {
    return this.#size > this.#limit;
  }

  append(link: Link): void {
    link.older = this.#newest;
    if (this.#newest) this.#newest.newer = link;
    this.#newest = link;
    this.#oldest ??= link;
    this.#size++;
  }

  remove(link: Link): void {
    const { older, newer } = link;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    // What is dead and old must not keep what is young alive until all memory is looked through.
    link.older = undefined;
    link.newer = undefined;
    this.#size--;
  }
}
