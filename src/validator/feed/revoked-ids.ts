// The ids of what was revoked, each with its shard and the time at which it was logged last. Pure.
//
// An id is the 16 bytes of a session's UUID, or the first 16 of the SHA-256 of a subject, as a latin1 text: half the
// memory of hex digits. The ids and their times are in arrays, because an object for each would take half as much
// again, and a Map walks over all deleted members to find its oldest one.
//
// The service's window (src/core/feed/window.ts) is similar, but its entries keep their numbers, while here empty slots
// are removed anywhere. A class that does both took a sixth more processor time in each of the two places.

/** Shards are numbered from 0 to 255; a time and a shard are kept as one number, which is exact up to the year 3000. */
const MAX_SHARDS = 256;
/** How many slots without an id are kept at least before the arrays are made anew. */
const MANY_EMPTY = 4_096;

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
  /** The slot of each id. */
  readonly #slots = new Map<string, number>();
  #ids: (string | undefined)[] = [];
  #packed: number[] = [];
  /** The slots before it are empty. */
  #first = 0;

  get size(): number {
    return this.#slots.size;
  }

  has(id: string): boolean {
    return this.#slots.has(id);
  }

  /** When an id was logged last, Unix ms; 0: it is not there. */
  atMs(id: string): number {
    const slot = this.#slots.get(id);
    return slot === undefined ? 0 : this.#at(slot).atMs;
  }

  /** Adds an id. One that is there already keeps the later of both times, from which it counts, and comes last. */
  add(id: string, shard: number, atMs: number): void {
    const slot = this.#slots.get(id);
    if (slot !== undefined) {
      if (this.#at(slot).atMs >= atMs) return;
      this.#ids[slot] = undefined;
    }
    this.#slots.set(id, this.#ids.length);
    this.#ids.push(id);
    this.#packed.push(Math.max(0, atMs) * MAX_SHARDS + shard);
    this.#compact();
  }

  delete(id: string): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#ids[slot] = undefined;
    this.#slots.delete(id);
  }

  clear(): void {
    this.#slots.clear();
    this.#ids = [];
    this.#packed = [];
    this.#first = 0;
  }

  /**
   * Drops the oldest ids while `isOver` is true.
   * @param dropped called with each
   */
  drop(isOver: (each: Dropped) => boolean, dropped: (each: Dropped, id: string) => void): void {
    for (let id = this.#findOldest(); id !== undefined; id = this.#findOldest()) {
      const each = this.#at(this.#first);
      if (!isOver(each)) return;
      this.delete(id);
      dropped(each, id);
    }
  }

  /** The time of the one that came first, Unix ms; infinite: there is none. */
  get firstMs(): number {
    return this.#findOldest() === undefined ? Number.POSITIVE_INFINITY : this.#at(this.#first).atMs;
  }

  /** Moves `#first` to the id that came first, and returns it; undefined: there is none. */
  #findOldest(): string | undefined {
    while (this.#first < this.#ids.length && this.#ids[this.#first] === undefined) this.#first++;
    return this.#ids[this.#first];
  }

  #at(slot: number): Dropped {
    return unpack(this.#packed[slot] ?? 0);
  }

  /** Makes the arrays anew without the empty slots, once most slots are empty. */
  #compact(): void {
    if (this.#ids.length <= 2 * this.size + MANY_EMPTY) return;
    const [ids, packed] = [this.#ids, this.#packed];
    this.#ids = [];
    this.#packed = [];
    this.#first = 0;
    for (const [slot, id] of ids.entries()) {
      if (id === undefined) continue;
      this.#slots.set(id, this.#ids.length);
      this.#ids.push(id);
      this.#packed.push(packed[slot] ?? 0);
    }
  }
}
