// Owns the ledger: what this process has acknowledged in the last minutes, and how it stands up for that when the store
// comes back older than it was.
//
// A failover may lose the last second of writes, and a restart from a snapshot minutes of them. The count in a shard's
// birth record tells: whoever has seen a higher one knows. So does whoever finds another server than before, for the count
// may have been caught up with. What is put back only ever moves an entry forward: an end stays one, a generation and a
// cut-off never go down. So it does no harm if nothing was lost, or if several nodes do it at once.

import type { Line } from './chain.js';
import type { Birth } from './entries.js';
import { StoreUnavailable } from './errors.js';
import { isOlder } from './further.js';
import { Lines, nameOf } from './lines.js';
import { LEDGER_MS } from './policy.js';
import type { EntryKey, Store, Swapped } from './ports.js';
import { putBack, putBirthBack } from './put-back.js';

/** What this process knew of a shard before it asked the store; afterwards, with the record that it was told. */
export interface Known {
  readonly shard: number;
  readonly incarnation: string | undefined;
  readonly birth: Birth | undefined;
}

/** The store had gone back in time. */
export interface Setback {
  /** In how many shards the store was found to hold less than before. */
  readonly shards: number;
  /** How many entries were put back. */
  readonly again: number;
  /** How many could not be: they cannot be read or written now. Who asks for them hears "cannot tell". */
  readonly owed: number;
  /** Of how many that were remembered. */
  readonly remembered: number;
  /** Since when without a gap, the store's time, Unix ms; undefined: nothing was remembered. */
  readonly sinceMs: number | undefined;
  /** How often this has happened to this process. */
  readonly setbacks: number;
}

/** How many entries are looked at at once when all are. */
const CHUNK = 4_000;

export class Ledger {
  readonly #store: Store;
  readonly #tell: (setback: Setback) => void;
  readonly #lines = new Lines((line) => this.#isPast(line));
  /** What the store lacks and could not be given back. */
  readonly #owed = new Map<string, Line>();
  /** Of each shard the record that was seen last, with the highest count. */
  readonly #births = new Map<number, Birth>();
  /** Which server has been found to hold all of this, for each shard that was looked at. */
  readonly #incarnations = new Map<number, string | undefined>();
  #round: Promise<void> | undefined;
  #setbacks = 0;

  constructor(store: Store, tell: (setback: Setback) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  /** To be asked before a read, whose answer is then judged by it: what is read later holds no less. */
  known(shard: number): Known {
    return { shard, incarnation: this.#store.incarnationOf(shard), birth: this.#births.get(shard) };
  }

  /** Takes a birth record in. @returns whether the store holds, or may hold, less than this process has seen */
  isBehind({ shard, incarnation, birth: before }: Known, birth: Birth): boolean {
    if (this.#incarnations.get(shard) === undefined) this.#incarnations.set(shard, incarnation);
    // Before the read as well as after it: who has answered it may have come between.
    const looked = this.#incarnations.get(shard);
    if (incarnation !== looked || this.#store.incarnationOf(shard) !== looked) return true;
    if (before && isOlder(birth, before)) return true;
    this.#see(shard, birth);
    return false;
  }

  /**
   * To be called before a caller hears that something is done: what was written for it, or found written, then outlives
   * the store's server if replicas are asked for, and is remembered.
   * @param known from before the read that led here
   * @throws StoreUnavailable
   */
  async acknowledge(
    known: Known,
    key: EntryKey,
    { current: text, writes }: Omit<Swapped, 'won'>,
    keptUntilMs: number,
  ): Promise<void> {
    const { shard, incarnation, birth } = known;
    // A denied token may be asked about again and again: what this server has acknowledged costs no second wait.
    const isKnown = writes === undefined && text !== undefined && this.#lines.holds(key, text, incarnation);
    if (!isKnown) await this.#store.settle(shard, incarnation);
    if (birth && writes !== undefined) this.#see(shard, { ...birth, writes });
    if (text === undefined) return;
    this.#lines.add({ shard, key, text, keptUntilMs, notedMs: this.#store.now(shard), incarnation });
  }

  /** Whether the store lacks something that it could not be given back yet. */
  get owes(): boolean {
    return this.#owed.size > 0;
  }

  /**
   * Tries once more to give the store what it lacks of some entries.
   * @returns whether the store was given something: what was read before that is worth nothing
   * @throws StoreUnavailable while it cannot be given
   */
  async payBack(keys: readonly EntryKey[]): Promise<boolean> {
    const names = keys.map(nameOf).filter((name) => this.#owed.has(name));
    for (const name of names) {
      const line = this.#owed.get(name);
      if (line) await putBack(this.#store, line);
      this.#owed.delete(name);
    }
    return names.length > 0;
  }

  /**
   * Looks whether the servers that have others in their place, and the one of a shard, hold what this process has seen and
   * acknowledged, and puts back what they do not. Callers at the same time share one round.
   * @throws StoreUnavailable
   */
  async standUp(shard?: number): Promise<void> {
    this.#round ??= this.#standUp(shard).finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Whether another server answers, for some shard, than the one that was looked at. */
  get isElsewhere(): boolean {
    return this.#elsewhere().length > 0;
  }

  #elsewhere(): number[] {
    return [...this.#incarnations.keys()].filter((shard) => {
      const looked = this.#incarnations.get(shard);
      return looked !== undefined && this.#store.incarnationOf(shard) !== looked;
    });
  }

  async #standUp(shard: number | undefined): Promise<void> {
    const store = this.#store;
    // Who is told that one shard has gone back looks at all that its server holds.
    const suspects = new Set(shard === undefined ? [] : [store.incarnationOf(shard)]);
    const elsewhere = new Set(this.#elsewhere());
    const isSuspect = (each: number): boolean => elsewhere.has(each) || suspects.has(store.incarnationOf(each));
    const incarnations = Array.from({ length: store.shards }, (_, each) => each)
      .filter(isSuspect)
      .map((each) => [each, store.incarnationOf(each)] as const);
    const looked = new Set(incarnations.map(([each]) => each));
    // The newest first: those are the ones that a failover loses.
    const lines = this.#lines.newestFirst().filter(({ shard: each }) => looked.has(each));
    const suspectBirths = [...this.#births].filter(([each]) => looked.has(each));
    const births = Promise.all(suspectBirths.map(([each, before]) => this.#lookAt(each, before)));
    births.catch(() => {});
    let again = 0;
    for (let from = 0; from < lines.length; from += CHUNK) {
      const put = await Promise.all(lines.slice(from, from + CHUNK).map((line) => this.#putBackOrOwe(line)));
      again += put.filter(Boolean).length;
    }
    const shards = (await births).filter(Boolean).length;
    for (const [each, incarnation] of incarnations) this.#incarnations.set(each, incarnation);
    const owed = this.#owed.size;
    if (shards === 0 && again === 0 && owed === 0) return;
    const setbacks = ++this.#setbacks;
    this.#tell({ shards, again, owed, remembered: lines.length, sinceMs: lines.at(-1)?.notedMs, setbacks });
  }

  /** One entry that cannot be read or written must not keep all the others from their callers. */
  async #putBackOrOwe(line: Line): Promise<boolean> {
    try {
      const again = await putBack(this.#store, line);
      this.#owed.delete(nameOf(line.key));
      return again;
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || this.#store.reachableSinceMs === undefined) throw error;
      this.#owed.set(nameOf(line.key), line);
      return false;
    }
  }

  /** @returns whether the shard had gone back */
  async #lookAt(shard: number, before: Birth): Promise<boolean> {
    try {
      const birth = await putBirthBack(this.#store, shard, before);
      if (birth) this.#births.set(shard, birth);
      return birth !== undefined;
    } catch (error) {
      // Its callers find it behind again, and hear "cannot tell"; those of other shards need not.
      if (!(error instanceof StoreUnavailable) || this.#store.reachableSinceMs === undefined) throw error;
      return true;
    }
  }

  /** While the time of its shard is not known a line is kept. */
  #isPast({ shard, notedMs }: Line): boolean {
    try {
      return notedMs <= this.#store.now(shard) - LEDGER_MS;
    } catch {
      return false;
    }
  }

  #see(shard: number, birth: Birth): void {
    const before = this.#births.get(shard);
    if (!before || isOlder(before, birth)) this.#births.set(shard, birth);
  }
}
