// The two commands of the store, as they are sent to the owner of a shard.

/** What Redis answered to a swap; see the script. */
export type SwapAnswer = readonly [outcome: number, standing?: string | null, writes?: string];

export interface Commands {
  /** Reads keys of one shard. @throws StoreUnavailable */
  read(shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Runs the swap on an entry and, if there is one to be raised, its shard's birth record. @throws StoreUnavailable */
  swap(shard: number, keys: readonly string[], args: readonly string[]): Promise<SwapAnswer>;
}
