// The window of the feed: ended sessions, cut-off subjects and doubts of all logs, in the order of reading.
//
// Entries have rising numbers. A reader keeps the number of the last entry that it has: all later ones are new to it.
// An entry that is read again moves to the end with its latest time, so that it is sent again. The entries are in
// arrays, because an object for each would take twice the memory.

/** One entry of the window. */
export interface WindowEntry {
  readonly shard: number;
  /** See `LogEntry`; never `b`. */
  readonly what: string;
  readonly notBeforeMs: number;
  /** When it was logged last, Unix ms. */
  readonly atMs: number;
}

/** How many slots that hold no entry are kept before the arrays are made anew. */
const MANY_EMPTY = 4_096;

export class Window {
  /** The number of the first slot. */
  #base = 1;
  #what: (string | undefined)[] = [];
  #atMs: number[] = [];
  #shards: number[] = [];
  /** The times of cut-offs: few entries are one. */
  readonly #notBefore = new Map<string, number>();
  /** The number of each entry. */
  readonly #numbers = new Map<string, number>();
  /** The slots before it are empty. */
  #first = 0;

  get size(): number {
    return this.#numbers.size;
  }

  /** The number of the last entry; 0: there was none. */
  get last(): number {
    return this.#base + this.#what.length - 1;
  }

  /**
   * Adds an entry at the end. One that is there already moves there, if it was logged again since, or if it is a later
   * cut-off; it keeps the later of both times.
   */
  add({ shard, what, notBeforeMs, atMs }: WindowEntry): void {
    const before = this.#numbers.get(what);
    const slot = before === undefined ? -1 : before - this.#base;
    const knownMs = this.#atMs[slot] ?? 0;
    const cutMs = this.#notBefore.get(what) ?? 0;
    if (before !== undefined && atMs <= knownMs && notBeforeMs <= cutMs) return;
    if (before !== undefined) this.#what[slot] = undefined;
    this.#what.push(what);
    this.#atMs.push(Math.max(atMs, knownMs));
    this.#shards.push(shard);
    this.#numbers.set(what, this.last);
    if (notBeforeMs > cutMs) this.#notBefore.set(what, notBeforeMs);
  }

  /** The entries after a number, oldest first. */
  *after(number: number): Generator<readonly [number: number, entry: WindowEntry]> {
    for (let slot = Math.max(number + 1 - this.#base, this.#first); slot < this.#what.length; slot++) {
      const entry = this.#at(slot);
      if (entry) yield [this.#base + slot, entry];
    }
  }

  /**
   * Drops the oldest entries while `isOver` is true.
   * @param isOver gets an entry and the number of slots
   * @param dropped called with each
   */
  drop(isOver: (entry: WindowEntry, slots: number) => boolean, dropped: (entry: WindowEntry) => void): void {
    for (; this.#first < this.#what.length; this.#first++) {
      const entry = this.#at(this.#first);
      if (!entry) continue;
      if (!isOver(entry, this.#what.length - this.#first)) break;
      this.#what[this.#first] = undefined;
      this.#numbers.delete(entry.what);
      this.#notBefore.delete(entry.what);
      dropped(entry);
    }
    if (this.#first > MANY_EMPTY && this.#first > this.#what.length / 2) this.#shift();
  }

  #at(slot: number): WindowEntry | undefined {
    const what = this.#what[slot];
    if (what === undefined) return undefined;
    const notBeforeMs = this.#notBefore.get(what) ?? 0;
    return { shard: this.#shards[slot] ?? 0, what, notBeforeMs, atMs: this.#atMs[slot] ?? 0 };
  }

  #shift(): void {
    this.#base += this.#first;
    this.#what = this.#what.slice(this.#first);
    this.#atMs = this.#atMs.slice(this.#first);
    this.#shards = this.#shards.slice(this.#first);
    this.#first = 0;
  }
}
