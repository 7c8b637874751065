// A bounded doubly linked list of acknowledgements, oldest first.

import type { EntryKey } from './ports.js';

/** An acknowledged entry. */
export interface Line {
  readonly shard: number;
  readonly key: EntryKey;
  readonly text: string;
  readonly keptUntilMs: number;
  /** The time of its last acknowledgement, the store's time, Unix ms. */
  readonly notedMs: number;
  /** The server that acknowledged it. */
  readonly incarnation: string | undefined;
}

/** A list node. */
export interface Link {
  readonly name: string;
  line: Line;
  /** The progress of the entry; see `entry-order.ts`. */
  progress: number;
  /** Increases over all lists. */
  readonly order: number;
  older: Link | undefined;
  newer: Link | undefined;
}

export class Chain {
  readonly #limit: number;
  #size = 0;
  #oldest: Link | undefined;
  #newest: Link | undefined;

  /** @param limit the maximum number of nodes */
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
    // V8 keeps a removed old-generation node until a full collection; its references must not keep younger nodes as
    // well.
    link.older = undefined;
    link.newer = undefined;
    this.#size--;
  }
}
