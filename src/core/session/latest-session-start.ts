// The latest session start that this process has assigned, by shard: a cut-off must cover it.
//
// If the clock is set back, a cut-off could be stamped before the start of a session that has just begun, and miss it.
// Shards have different clocks: a start in one may lie far ahead of the time of another.

export class LatestSessionStart {
  readonly #latestMs = new Map<number, number>();

  /** The latest start in a shard, the shard's time, Unix ms; 0: none. */
  latestMs(shard: number): number {
    return this.#latestMs.get(shard) ?? 0;
  }

  record(shard: number, startMs: number): void {
    if (startMs > this.latestMs(shard)) this.#latestMs.set(shard, startMs);
  }
}
