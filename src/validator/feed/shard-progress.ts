// How far the feed is complete for each shard: from which time, as of which ping, and the birth of the shard. Pure.
//
// The two times belong together. Those of a new stream replace the old ones together, at the first pong that covers the
// shard. Until then the old ones are used, and messages of the new stream can only make them stricter.

import { MARGIN_MS } from '../../core/feed/limits.js';
import type { StartBounds } from '../../core/session/session-state.js';
import type { Moment } from '../freshness.js';

/** A ping that was sent. */
export interface Ping {
  /** Rises over all streams. */
  readonly id: number;
  readonly sent: Moment;
}

type Birth = StartBounds['birth'];

/** The state of a shard, from the wire. */
export interface WireState {
  readonly shard: number;
  readonly completeSinceMs: number;
  readonly birth: Birth;
}

interface Progress {
  completeSinceMs: number;
  /** The last ping whose pong covers the shard; undefined: there was none. */
  asOf: Ping | undefined;
  /** The complete-since of the present stream, before its first pong that covers the shard. */
  pendingMs: number | undefined;
  /** Whether such a pong has come on the present stream. */
  isPresent: boolean;
  birth: Birth;
}

/** The times of a shard by which a token is judged. */
export type KnownProgress = Readonly<Pick<Progress, 'completeSinceMs' | 'asOf' | 'birth'>>;

const newProgress = (birth: Birth): Progress => ({
  ...{ completeSinceMs: Number.POSITIVE_INFINITY, asOf: undefined },
  ...{ pendingMs: undefined, isPresent: false, birth },
});

export class ShardProgress {
  readonly #shards = new Map<number, Progress>();
  /** Raised for all shards, and for good, when the store's clock was set back. */
  #floorMs = 0;

  get(shard: number): KnownProgress | undefined {
    return this.#shards.get(shard);
  }

  /** Tokens with an earlier `iat` must be asked about, in every shard. Unix ms. */
  get floorMs(): number {
    return this.#floorMs;
  }

  /** When the oldest of the shards' last covered pings was sent; undefined: some shard has none. */
  oldest(shards: number): Moment | undefined {
    let oldest: Ping | undefined;
    for (let shard = 0; shard < shards; shard++) {
      const asOf = this.#shards.get(shard)?.asOf;
      if (!asOf) return undefined;
      if (!oldest || asOf.id < oldest.id) oldest = asOf;
    }
    return oldest?.sent;
  }

  /** A stream was opened: its first word on each shard counts with its first pong. */
  streamBegins(): void {
    for (const progress of this.#shards.values()) {
      progress.pendingMs = undefined;
      progress.isPresent = false;
    }
  }

  /** The present stream has a shard's state. */
  found({ shard, completeSinceMs, birth }: WireState): void {
    const progress = this.#shards.get(shard) ?? newProgress(birth);
    this.#shards.set(shard, progress);
    // A birth denies for ever, so that the latest one counts, of all nodes.
    if (birth.atMs >= progress.birth.atMs) progress.birth = birth;
    if (!progress.isPresent && progress.pendingMs === undefined) progress.pendingMs = completeSinceMs;
    else raise(progress, completeSinceMs);
  }

  /**
   * A pong has come that covers a shard. @returns whether it says anything: one without a state of this stream does not
   */
  covered(shard: number, ping: Ping): boolean {
    const progress = this.#shards.get(shard);
    if (!progress || (!progress.isPresent && progress.pendingMs === undefined)) return false;
    if (progress.pendingMs !== undefined) progress.completeSinceMs = progress.pendingMs;
    progress.pendingMs = undefined;
    progress.isPresent = true;
    if (!progress.asOf || progress.asOf.id < ping.id) progress.asOf = ping;
    return true;
  }

  /** A revocation of a shard was dropped, or could not be read. @param atMs when it was logged, Unix ms */
  dropped(shard: number, atMs: number): void {
    const progress = this.#shards.get(shard);
    if (progress) raise(progress, atMs + MARGIN_MS);
  }

  /** The store's clock was set back. @param latestMs the highest time that was ever known, Unix ms */
  clockSetBack(latestMs: number): void {
    this.#floorMs = Math.max(this.#floorMs, latestMs + MARGIN_MS);
  }

  clear(): void {
    this.#shards.clear();
    this.#floorMs = 0;
  }
}

function raise(progress: Progress, completeSinceMs: number): void {
  progress.completeSinceMs = Math.max(progress.completeSinceMs, completeSinceMs);
  if (progress.pendingMs !== undefined) progress.pendingMs = Math.max(progress.pendingMs, completeSinceMs);
}
