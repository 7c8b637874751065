// The latest start that this process has given to a session, by shard: a cut-off must reach it.
//
// A clock that is set back would stamp a cut-off before the start of a session that has just begun, and so miss it. Each
// shard has a clock of its own: the start of one may lie far ahead of the time of another.

export class Starts {
  readonly #latestMs = new Map<number, number>();

  /** The latest start in a shard, its time, Unix ms; 0 if there was none. */
  latestMs(shard: number): number {
    return this.#latestMs.get(shard) ?? 0;
  }

  give(shard: number, startMs: number): void {
    if (startMs > this.latestMs(shard)) this.#latestMs.set(shard, startMs);
  }
}
