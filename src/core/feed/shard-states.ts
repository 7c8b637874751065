// The state of each shard in the feed: the time from which all ends are known, and its birth. Pure.

import type { Birth } from '../session/entries.js';
import { MARGIN_MS } from './limits.js';

/** The state of a shard as watchers get it. */
export interface ShardState {
  readonly shard: number;
  /**
   * Every end since then is known, and was or will be sent: a token with an earlier `iat` must be asked about. Unix ms.
   */
  readonly completeSinceMs: number;
  readonly birth: Birth;
  /** Rises with every change of any shard. */
  readonly version: number;
}

/** What one round has found of a shard. Times in Unix ms, of the shard's clock. */
export interface Findings {
  /** The birth record, read after the log. */
  readonly birth: Birth;
  /** `wholeSinceMs` of the last entry that was read; undefined: none was. */
  readonly wholeSinceMs: number | undefined;
  /** The shard's time now. */
  readonly nowMs: number;
  /** The highest time of the shard that is known. */
  readonly latestMs: number;
}

export class ShardStates {
  readonly #states = new Map<number, ShardState>();
  /** By shard the time below which entries were dropped before its state was known, Unix ms. */
  readonly #dropped = new Map<number, number>();
  #version = 0;

  /** The version of the last change. */
  get version(): number {
    return this.#version;
  }

  get(shard: number): ShardState | undefined {
    return this.#states.get(shard);
  }

  /** The states that changed after a version. */
  after(version: number): ShardState[] {
    if (version === this.#version) return [];
    return [...this.#states.values()].filter((state) => state.version > version);
  }

  /**
   * Takes in what a round has found.
   * @returns whether the shard's state is known: a log without any entry says nothing
   */
  found(shard: number, { birth, wholeSinceMs, nowMs, latestMs }: Findings): boolean {
    const before = this.#states.get(shard);
    if (!before && wholeSinceMs === undefined) return false;
    let completeSinceMs = before?.completeSinceMs ?? this.#dropped.get(shard) ?? 0;
    if (wholeSinceMs !== undefined) completeSinceMs = Math.max(completeSinceMs, wholeSinceMs + MARGIN_MS);
    // The clock was set back: by its later time, entries may have been dropped that count again.
    if (latestMs > nowMs + MARGIN_MS) completeSinceMs = Math.max(completeSinceMs, latestMs + MARGIN_MS);
    this.#set(shard, completeSinceMs, later(before?.birth, birth));
    return true;
  }

  /** Takes note that an entry was dropped: tokens from before it must be asked about. */
  dropped(shard: number, atMs: number): void {
    const state = this.#states.get(shard);
    const sinceMs = Math.max(state?.completeSinceMs ?? this.#dropped.get(shard) ?? 0, atMs + MARGIN_MS);
    if (state) this.#set(shard, sinceMs, state.birth);
    else this.#dropped.set(shard, sinceMs);
  }

  #set(shard: number, completeSinceMs: number, birth: Birth): void {
    const before = this.#states.get(shard);
    const isSame =
      before?.completeSinceMs === completeSinceMs &&
      before.birth.atMs === birth.atMs &&
      before.birth.adoptedSinceMs === birth.adoptedSinceMs;
    if (!isSame) this.#states.set(shard, { shard, completeSinceMs, birth, version: ++this.#version });
  }
}

/** A birth denies for ever. So the later one counts, also where the record is an older one now. */
const later = (before: Birth | undefined, now: Birth): Birth => (before && before.atMs > now.atMs ? before : now);
