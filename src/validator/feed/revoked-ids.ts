// The ids of what was revoked, each with its shard and the time at which it was logged last. Pure.
//
// An id is the 16 bytes of a session's UUID, or the first 16 of the SHA-256 of a subject, as a latin1 text: half the
// memory of hex digits.

/** Shards are numbered from 0 to 255; a time and a shard are kept as one number, which is exact up to the year 3000. */
const MAX_SHARDS = 256;

/** A revocation that is dropped. */
export interface Dropped {
  readonly shard: number;
  /** When it was logged last, Unix ms. */
  readonly atMs: number;
}

const unpack = (packed: number): Dropped => ({
  shard: packed % MAX_SHARDS,
  atMs: Math.floor(packed / MAX_SHARDS),
});

/** Ids of one kind, in the order in which they came last. */
export class RevokedIds {
  readonly #ids = new Map<string, number>();

  get size(): number {
    return this.#ids.size;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** When an id was logged last, Unix ms; 0: it is not there. */
  atMs(id: string): number {
    return unpack(this.#ids.get(id) ?? 0).atMs;
  }

  /** Adds an id. One that is there already keeps the later of both times, from which it counts, and comes last. */
  add(id: string, shard: number, atMs: number): void {
    const known = this.#ids.get(id);
    if (known !== undefined && unpack(known).atMs >= atMs) return;
    this.#ids.delete(id);
    this.#ids.set(id, Math.max(0, atMs) * MAX_SHARDS + shard);
  }

  delete(id: string): void {
    this.#ids.delete(id);
  }

  clear(): void {
    this.#ids.clear();
  }

  /**
   * Drops the oldest ids while `isOver` is true.
   * @param dropped called with each
   */
  drop(isOver: (each: Dropped) => boolean, dropped: (each: Dropped, id: string) => void): void {
    for (const [id, packed] of this.#ids) {
      const each = unpack(packed);
      if (!isOver(each)) return;
      this.#ids.delete(id);
      dropped(each, id);
    }
  }

  /** The time of the one that came first, Unix ms; infinite: there is none. */
  get firstMs(): number {
    for (const packed of this.#ids.values()) return unpack(packed).atMs;
    return Number.POSITIVE_INFINITY;
  }
}
