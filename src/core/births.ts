// Owns the birth records: from when on each shard of the store can vouch for what it does not know.
//
// Absence of a session's entry is innocence, so a store that was wiped would call every ended session good. Each shard
// therefore says when it came to be, and denies whatever started before. All are written together, at a node's start
// and whenever one is found missing: a shard that got its record only at its first call would deny the adopted
// sessions that began in between.

import { type Birth, birthValue, parseBirth } from './entries.js';
import type { Store, StoreKey } from './ports.js';

export class Births {
  readonly #store: Store;
  readonly #foreignSinceMs: number | undefined;
  /** Whether this process has seen a record: if so, a missing one was wiped, and its shard vouches for nothing old. */
  #seen = false;
  /** Of each shard the record that was read last: it is read with every token, and seldom another one. */
  readonly #read = new Map<number, { readonly text: string; readonly birth: Birth }>();
  #writing: Promise<number> | undefined;
  /** What a round that did not come to its end was writing; the next one goes on with it. */
  #begun: string | undefined;

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
   * Writes the records that are missing, of all shards. Callers at the same time share one round.
   * @returns how many were missing
   */
  async write(writeUntilMs: number): Promise<number> {
    this.#writing ??= this.#writeAll(writeUntilMs).finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(writeUntilMs: number): Promise<number> {
    const store = this.#store;
    const keys = Array.from({ length: store.shards }, (_, shard): StoreKey => ({ kind: 'birth', shard }));
    // Judged by what this process saw before the round: records that turn up now may be another node's, which starts
    // as we do, or our own of a round that broke off.
    this.#begun ??= birthValue(this.#seen ? undefined : this.#foreignSinceMs);
    const value = this.#begun;
    const births = await Promise.all(keys.map(async (key) => parseBirth((await store.read([key]))[0])));
    const missing = keys.filter((_, index) => births[index] === undefined);
    await Promise.all(
      // A lost swap is as good: another node has written the record.
      missing.map((key) => store.swap(key, undefined, { value, atLeastMs: 0 }, undefined, writeUntilMs)),
    );
    this.#begun = undefined;
    this.#seen = true;
    return missing.length;
  }
}
