// The store's commands for a single Redis, or for the primary that Sentinels name: one server owns all shards.

import { StoreUnavailable } from '../../../core/errors.js';
import type { LogPage } from '../../../core/feed/log-entry.js';
import { APPEND_ALONE } from '../append-script.js';
import { COMPARE_AND_SET } from '../compare-and-set-script.js';
import { birthName, logName } from '../keys.js';
import { AllLogs } from '../log-pages.js';
import { type RawValue, ReadBatch } from '../read-batch.js';
import { READ } from '../read-script.js';
import { evaluate } from '../script.js';
import type { Topology } from './topology.js';

/** The keys and the arguments of the compare-and-set script. */
export interface WriteCall {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** The result of the compare-and-set script. */
export type CompareAndSetAnswer = readonly [outcome: number, current?: string | null, writes?: string];

/** The commands of the store, sent to the owner of a shard. */
export interface Commands {
  /** Reads keys of one shard. @throws StoreUnavailable */
  read(shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Runs the compare-and-set script. @throws StoreUnavailable */
  compareAndSet(shard: number, call: WriteCall): Promise<CompareAndSetAnswer>;
  /** See `RevocationLogs`. */
  readLogs(cursors: readonly (string | undefined)[]): Promise<readonly (LogPage | StoreUnavailable)[]>;
  /** Runs the append script without an entry. @throws StoreUnavailable */
  beginLog(shard: number, args: readonly string[]): Promise<void>;
}

export class DirectCommands implements Commands {
  readonly #topology: Topology;
  readonly #reads: ReadBatch;
  readonly #logs = new AllLogs();

  constructor(topology: Topology) {
    this.#topology = topology;
    this.#reads = new ReadBatch((keys) =>
      topology.run(0, 'read', (client) => evaluate(client, READ, { keys }) as Promise<readonly RawValue[]>),
    );
  }

  read(_shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    return this.#reads.read(keys);
  }

  compareAndSet(shard: number, call: WriteCall): Promise<CompareAndSetAnswer> {
    return this.#topology.run(
      shard,
      'write',
      (client) => evaluate(client, COMPARE_AND_SET, call) as Promise<unknown> as Promise<CompareAndSetAnswer>,
    );
  }

  async readLogs(cursors: readonly (string | undefined)[]): Promise<readonly (LogPage | StoreUnavailable)[]> {
    try {
      return await this.#topology.run(0, 'read', (client) => this.#logs.read(client, cursors));
    } catch (error) {
      if (error instanceof StoreUnavailable) return cursors.map(() => error);
      throw error;
    }
  }

  async beginLog(shard: number, args: readonly string[]): Promise<void> {
    const keys = [logName(shard), birthName(shard)];
    await this.#topology.run(shard, 'write', (client) => evaluate(client, APPEND_ALONE, { keys, args }));
  }
}
