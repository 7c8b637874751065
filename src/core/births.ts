// Owns the birth records: from when on each shard of the store can vouch for what it does not know.
//
// Absence of a session's entry is innocence, so a store that was wiped would call every ended session good. Each shard
// therefore says when it came to be, and denies whatever started before. All are written together, at a node's start
// and whenever one is found missing: a shard that got its record only at its first call would deny the adopted
// sessions that began in between.

import { type Birth, birthValue, parseBirth } from './entries.js';
import { VERDICT_AGE_MS } from './policy.js';
import type { Store, StoreKey } from './ports.js';

/** What came of one round. */
interface Round {
  readonly missing: number;
  /** By the shards that could not be read or written. */
  readonly failures: ReadonlyMap<number, unknown>;
}

export class Births {
  readonly #store: Store;
  readonly #foreignSinceMs: number | undefined;
  /** Whether this process has seen a record: if so, a missing one was wiped, and its shard vouches for nothing old. */
  #seen = false;
  /** Of each shard the record that was read last: it is read with every token, and seldom another one. */
  readonly #read = new Map<number, { readonly text: string; readonly birth: Birth }>();
  #writing: Promise<Round> | undefined;
  /** What a round was writing to shards where it did not come to its end; the next one goes on with it. */
  readonly #begun = new Map<number, string>();

  /** @param foreignSinceMs since when adopted sessions are good on a store that starts empty, Unix ms */
  constructor(store: Store, foreignSinceMs: number | undefined) {
    this.#store = store;
    this.#foreignSinceMs = foreignSinceMs;
  }

  /** A record as it was read; undefined if it is missing. @throws StoreUnavailable if it cannot be read */
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
   * Writes the records that are missing, of all shards. Callers at the same time share one round. A shard that is away
   * keeps none of the others from their records.
   * @param shard the one whose record must be there then; undefined: all must be
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
    // Judged by what this process saw before the round: records that turn up now may be another node's, which starts
    // as we do, or our own of a round that broke off.
    const value = birthValue(this.#seen ? undefined : this.#foreignSinceMs);
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

  /** @returns whether it was missing; a lost swap is as good as a won one: another node has written the record */
  async #writeOne(shard: number, value: string): Promise<boolean> {
    const key: StoreKey = { kind: 'birth', shard };
    const store = this.#store;
    if (parseBirth((await store.read([key]))[0])) return false;
    await store.swap(key, undefined, { value, atLeastMs: 0 }, undefined, store.now(shard) + VERDICT_AGE_MS);
    return true;
  }
}
