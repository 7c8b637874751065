// What this process knows of each shard: its latest birth record, and the server that was checked.

import type { Store } from '../ports.js';
import type { Birth } from '../session/entries.js';
import { isOlder } from './entry-order.js';

/** The state of a shard as this process knew it before a read; afterwards with the birth record that was read. */
export interface ShardSnapshot {
  readonly shard: number;
  readonly incarnation: string | undefined;
  readonly birth: Birth | undefined;
}

export class KnownShards {
  readonly #store: Pick<Store, 'incarnationOf'>;
  /** The latest birth record of each shard, with the highest count. */
  readonly #births = new Map<number, Birth>();
  /** By shard the server that was checked to hold all acknowledged entries. */
  readonly #checked = new Map<number, string | undefined>();

  constructor(store: Pick<Store, 'incarnationOf'>) {
    this.#store = store;
  }

  snapshot(shard: number): ShardSnapshot {
    return { shard, incarnation: this.#store.incarnationOf(shard), birth: this.#births.get(shard) };
  }

  /** Records a birth record that was read. @returns whether the store has lost writes, or may have */
  isBehind({ shard, incarnation, birth: before }: ShardSnapshot, birth: Birth): boolean {
    if (this.#checked.get(shard) === undefined) this.#checked.set(shard, incarnation);
    // Compared before and after the read: another server may have answered in between.
    const checked = this.#checked.get(shard);
    if (incarnation !== checked || this.#store.incarnationOf(shard) !== checked) return true;
    if (before && isOlder(birth, before)) return true;
    this.see(shard, birth);
    return false;
  }

  /** Records a birth record, unless a later one is known. */
  see(shard: number, birth: Birth): void {
    const before = this.#births.get(shard);
    if (!before || isOlder(before, birth)) this.#births.set(shard, birth);
  }

  /** Records the birth record of a store that has lost writes, though it is an earlier one. */
  replace(shard: number, birth: Birth): void {
    this.#births.set(shard, birth);
  }

  /** Records the server that was checked to hold all acknowledged entries of a shard. */
  setChecked(shard: number, incarnation: string | undefined): void {
    this.#checked.set(shard, incarnation);
  }

  /** The shards for which another server than the checked one answers. */
  elsewhere(): number[] {
    return [...this.#checked.keys()].filter((shard) => {
      const checked = this.#checked.get(shard);
      return checked !== undefined && this.#store.incarnationOf(shard) !== checked;
    });
  }

  /** The latest birth records of some shards. */
  birthsOf(shards: ReadonlySet<number>): (readonly [shard: number, birth: Birth])[] {
    return [...this.#births].filter(([shard]) => shards.has(shard));
  }
}
