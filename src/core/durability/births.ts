// Birth records: for each shard, the time from which its lack of an entry can be trusted.
//
// A session without an entry is active, so after a wipe the store would accept every ended session. Each shard
// therefore records when it was created, and denies every session that started before. All records are written
// together, when a node starts and whenever one is missing: a shard whose record was written at its first call would
// deny the adopted sessions that started in between.

import type { Store } from '../ports.js';
import { type Birth, birthValue, parseBirth } from '../session/entries.js';
import type { StoreKey } from '../session/store-keys.js';
import { MAX_WRITE_AGE_MS } from './limits.js';

/** The result of one round of writes. */
interface Round {
  readonly missing: number;
  /** The errors, by shard. */
  readonly failures: ReadonlyMap<number, unknown>;
}

export class Births {
  readonly #store: Store;
  readonly #adoptedSinceMs: number | undefined;
  /**
   * Whether this process has read a record. If so, a missing record was wiped, and its shard denies all older sessions.
   */
  #seen = false;
  /** The last record of each shard, parsed: each token reads it, and it seldom changes. */
  readonly #read = new Map<number, { readonly text: string; readonly birth: Birth }>();
  #writing: Promise<Round> | undefined;
  /** The values that an interrupted round was writing, by shard. The next round writes the same. */
  readonly #begun = new Map<number, string>();

  /** @param adoptedSinceMs the start from which adopted sessions are accepted on a store that starts empty, Unix ms */
  constructor(store: Store, adoptedSinceMs: number | undefined) {
    this.#store = store;
    this.#adoptedSinceMs = adoptedSinceMs;
  }

  /** Parses a record; undefined if it is missing. @throws StoreUnavailable if it cannot be parsed */
  read(shard: number, text: string | undefined): Birth | undefined {
    if (text === undefined) return undefined;
    const last = this.#read.get(shard);
    if (last?.text === text) return last.birth;
    const birth = parseBirth(text);
    if (!birth) return undefined;
    this.#seen = true;
    this.#read.set(shard, { text, birth });
    return birth;
  }

  /**
   * Writes the missing records of all shards. Concurrent callers share one round. A shard that fails does not stop the
   * others.
   * @param shard the shard whose record must exist afterwards; undefined: all of them
   * @returns how many were missing
   * @throws StoreUnavailable
   */
  async write(shard?: number): Promise<number> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    const { missing, failures } = await this.#writing;
    const failed = shard === undefined ? [...failures.keys()][0] : shard;
    if (failed !== undefined && failures.has(failed)) throw failures.get(failed);
    return missing;
  }

  async #writeAll(): Promise<Round> {
    const shards = Array.from({ length: this.#store.shards }, (_, shard) => shard);
    // Decided by what this process read before the round. Records that appear during it may come from another node that
    // is starting too, or from our own interrupted round.
    const value = birthValue(this.#seen ? undefined : this.#adoptedSinceMs);
    const failures = new Map<number, unknown>();
    let missing = 0;
    const write = async (shard: number): Promise<void> => {
      const begun = this.#begun.get(shard) ?? value;
      try {
        if (await this.#writeOne(shard, begun)) missing++;
        this.#begun.delete(shard);
      } catch (error) {
        this.#begun.set(shard, begun);
        failures.set(shard, error);
      }
    };
    await Promise.all(shards.map(write));
    if (failures.size < shards.length) this.#seen = true;
    return { missing, failures };
  }

  /**
   * @returns whether it was missing. A write that was not applied is a success, too: another node has written the
   * record
   */
  async #writeOne(shard: number, value: string): Promise<boolean> {
    const key: StoreKey = { kind: 'birth', shard };
    const store = this.#store;
    if (parseBirth((await store.read([key]))[0])) return false;
    await store.compareAndSet(key, undefined, {
      value,
      atLeastMs: 0,
      lifetimeMs: undefined,
      notAfterMs: store.now(shard) + MAX_WRITE_AGE_MS,
    });
    return true;
  }
}
