// A doubly linked list of acknowledgements, oldest first, that knows whether it is longer than its limit.

import type { EntryKey } from '../session/store-keys.js';

/** An acknowledged entry. */
export interface AckRecord {
  readonly shard: number;
  readonly key: EntryKey;
  readonly text: string;
  readonly keptUntilMs: number;
  /** The time of its last acknowledgement, the store's time, Unix ms. */
  readonly acknowledgedMs: number;
  /** The server that acknowledged it. */
  readonly incarnation: string | undefined;
}

/** A list node. */
export interface AckNode {
  readonly name: string;
  record: AckRecord;
  /** The progress of the entry; see `entry-order.ts`. */
  progress: number;
  /** Increases over all lists. */
  readonly order: number;
  older: AckNode | undefined;
  newer: AckNode | undefined;
}

export class AckList {
  readonly #limit: number;
  #size = 0;
  #oldest: AckNode | undefined;
  #newest: AckNode | undefined;

  /** @param limit the maximum number of nodes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get oldest(): AckNode | undefined {
    return this.#oldest;
  }

  get newest(): AckNode | undefined {
    return this.#newest;
  }

  get isOverfull(): boolean {
    return this.#size > this.#limit;
  }

  append(node: AckNode): void {
    node.older = this.#newest;
    if (this.#newest) this.#newest.newer = node;
    this.#newest = node;
    this.#oldest ??= node;
    this.#size++;
  }

  remove(node: AckNode): void {
    const { older, newer } = node;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    // V8 keeps a removed old-generation node until a full collection; its references must not keep younger nodes as
    // well.
    node.older = undefined;
    node.newer = undefined;
    this.#size--;
  }
}
