// The store's two commands for a single Redis, or for the primary that Sentinels name: one server owns all shards.

import { type RawValue, ReadBatch } from '../read-batch.js';
import { READ } from '../read-script.js';
import { evaluate } from '../script.js';
import { SWAP } from '../swap-script.js';
import type { Topology } from './topology.js';

/** The result of the swap script. */
export type SwapAnswer = readonly [outcome: number, current?: string | null, writes?: string];

/** The two commands of the store, sent to the owner of a shard. */
export interface Commands {
  /** Reads keys of one shard. @throws StoreUnavailable */
  read(shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]>;
  /**
   * Runs the swap script on an entry, and on its shard's birth record if its count must be raised.
   * @throws StoreUnavailable
   */
  swap(shard: number, keys: readonly string[], args: readonly string[]): Promise<SwapAnswer>;
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

  swap(shard: number, keys: readonly string[], args: readonly string[]): Promise<SwapAnswer> {
    return this.#topology.run(
      shard,
      'write',
      (client) => evaluate(client, SWAP, { keys, args }) as Promise<unknown> as Promise<SwapAnswer>,
    );
  }
}
