// The store's two commands for a single Redis, or for the primary that Sentinels name: one server owns all shards.

import { COMPARE_AND_SET } from '../compare-and-set-script.js';
import { type RawValue, ReadBatch } from '../read-batch.js';
import { READ } from '../read-script.js';
import { evaluate } from '../script.js';
import type { Topology } from './topology.js';

/** The result of the compare-and-set script. */
export type CompareAndSetAnswer = readonly [outcome: number, current?: string | null, writes?: string];

/** The two commands of the store, sent to the owner of a shard. */
export interface Commands {
  /** Reads keys of one shard. @throws StoreUnavailable */
  read(shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]>;
  /**
   * Runs the compare-and-set script on an entry, and on its shard's birth record if its count must be raised.
   * @throws StoreUnavailable
   */
  compareAndSet(shard: number, keys: readonly string[], args: readonly string[]): Promise<CompareAndSetAnswer>;
}

export class DirectCommands implements Commands {
  readonly #topology: Topology;
  readonly #reads: ReadBatch;

  constructor(topology: Topology) {
    this.#topology = topology;
    this.#reads = new ReadBatch((keys) =>
      topology.run(0, 'read', (client) => evaluate(client, READ, { keys }) as Promise<readonly RawValue[]>),
    );
  }

  read(_shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    return this.#reads.read(keys);
  }

  compareAndSet(shard: number, keys: readonly string[], args: readonly string[]): Promise<CompareAndSetAnswer> {
    return this.#topology.run(
      shard,
      'write',
      (client) => evaluate(client, COMPARE_AND_SET, { keys, args }) as Promise<unknown> as Promise<CompareAndSetAnswer>,
    );
  }
}
