// Owns the case of one primary for all shards: a Redis that stands alone, or whichever the Sentinels name.

import type { Found } from './connection.js';
import { keyNames } from './keys.js';
import { Primary, type PrimaryOptions } from './primary.js';
import { type Found as FoundText, ReadBatch } from './read-batch.js';
import { READ } from './read-script.js';
import { markOf } from './replicas.js';
import { evaluate } from './script.js';
import type { Servers, SwapAnswer } from './servers.js';
import { SWAP } from './swap-script.js';

const PROBE = keyNames([{ kind: 'birth', shard: 0 }]);

export class SolePrimary implements Servers {
  readonly #primary: Primary;
  readonly #reads: ReadBatch;
  readonly #close: () => Promise<void>;

  /** @param close ends what finds the primary */
  constructor(options: PrimaryOptions, find: () => Promise<Found>, close: () => Promise<void> = async () => {}) {
    const marks = [markOf(0)];
    const primary = new Primary(options, {
      find,
      probe: (client) => evaluate(client, READ, PROBE, []),
      marks: () => marks,
    });
    this.#primary = primary;
    this.#reads = new ReadBatch((keys) =>
      primary.connection.run(({ client }) => evaluate(client, READ, keys, []) as Promise<readonly FoundText[]>),
    );
    this.#close = close;
  }

  primaryOf(): Primary {
    return this.#primary;
  }

  incarnationOf(): string | undefined {
    return this.#primary.connection.incarnation;
  }

  async settle(_shard: number, incarnation: string | undefined): Promise<void> {
    await this.#primary.replicas?.settle(incarnation);
  }

  read(_shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    return this.#reads.read(keys);
  }

  swap(_shard: number, keys: readonly string[], args: readonly string[]): Promise<SwapAnswer> {
    return this.#primary.connection.run(
      ({ client }) => evaluate(client, SWAP, keys, args) as Promise<unknown> as Promise<SwapAnswer>,
    );
  }

  get reachableSinceMs(): number | undefined {
    return this.#primary.reachability.sinceMs;
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#primary.reachability.watch(listener);
  }

  get opened(): Promise<void> {
    return this.#primary.reachability.opened;
  }

  async close(): Promise<void> {
    await Promise.all([this.#primary.close(), this.#close()]);
  }
}
