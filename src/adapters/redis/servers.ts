// Owns what the store asks of the servers behind it, whether one has all shards or each some of them.

import type { Primary } from './primary.js';

/** What Redis said to a swap; see the script. */
export type SwapAnswer = readonly [outcome: number, standing?: string | null, writes?: string];

export interface Servers {
  /** The one that has a shard, or was the last to have it. @throws StoreUnavailable if none is known yet */
  primaryOf(shard: number): Primary;
  /** Which server answers for a shard, or was the last to; undefined: none has yet. */
  incarnationOf(shard: number): string | undefined;
  /** As the store does. @throws StoreUnavailable */
  settle(shard: number, incarnation: string | undefined): Promise<void>;
  /** Reads keys of one shard. @throws StoreUnavailable */
  read(shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Runs the swap on an entry and, if there is one to be raised, its shard's birth record. @throws StoreUnavailable */
  swap(shard: number, keys: readonly string[], args: readonly string[]): Promise<SwapAnswer>;

  /** As the store tells it. */
  readonly reachableSinceMs: number | undefined;
  watch(listener: (reachable: boolean) => void): () => void;
  /** Resolves when all have been reached. @throws UnsafeStore if one must not be used; StoreUnavailable if closed before */
  readonly opened: Promise<void>;
  close(): Promise<void>;
}
