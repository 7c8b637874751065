// Owns the ledger: what this process has acknowledged in the last minutes, and how it stands up for that when the store
// comes back older than it was.
//
// A failover may lose the last second of writes, and a restart from a snapshot minutes of them. The count in a shard's
// birth record tells: whoever has seen a higher one knows. So does whoever finds another server than before, for the count
// may have been caught up with. What is put back only ever moves an entry forward: an end stays one, a generation and a
// cut-off never go down. So it does no harm if nothing was lost, or if several nodes do it at once.

import { attempt } from './attempt.js';
import { type Birth, birthValue, draftOf, parseBirth } from './entries.js';
import { isFurther, isOlder } from './further.js';
import { LEDGER_MS, MAX_LEDGER, VERDICT_AGE_MS } from './policy.js';
import type { Store, StoreKey, Swapped } from './ports.js';

/** What this process knew of a shard before it asked the store. */
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
  /** Of how many that were remembered. */
  readonly remembered: number;
  /** Since when without a gap, the store's time, Unix ms; undefined: nothing was remembered. */
  readonly sinceMs: number | undefined;
  /** How often this has happened to this process. */
  readonly setbacks: number;
}

interface Line {
  readonly key: StoreKey;
  readonly text: string;
  readonly keptUntilMs: number;
  readonly notedMs: number;
}

const nameOf = (key: Exclude<StoreKey, { kind: 'birth' }>): string =>
  key.kind === 'session' ? `s ${key.sessionId}` : `u ${key.subject}`;

/** How many entries are looked at at once when all are. */
const CHUNK = 500;

export class Ledger {
  readonly #store: Store;
  readonly #tell: (setback: Setback) => void;
  /** The oldest first. */
  readonly #lines = new Map<string, Line>();
  /** Of each shard the record that was seen last, with the highest count. */
  readonly #births = new Map<number, Birth>();
  /** Which server has been found to hold all of this; undefined: none was looked at yet. */
  #incarnation: string | undefined;
  #round: Promise<void> | undefined;
  #setbacks = 0;

  constructor(store: Store, tell: (setback: Setback) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  /** To be asked before a read, whose answer is then judged by it: what is read later holds no less. */
  known(shard: number): Known {
    return { shard, incarnation: this.#store.incarnation, birth: this.#births.get(shard) };
  }

  /** Takes a birth record in. @returns whether the store holds, or may hold, less than this process has seen */
  isBehind({ shard, incarnation, birth: before }: Known, birth: Birth): boolean {
    this.#incarnation ??= incarnation;
    if (incarnation !== this.#incarnation || (before && isOlder(birth, before))) return true;
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
    key: Exclude<StoreKey, { kind: 'birth' }>,
    { current: text, writes }: Omit<Swapped, 'won'>,
    keptUntilMs: number,
  ): Promise<void> {
    await this.#store.settle(known.incarnation);
    const birth = this.#births.get(known.shard);
    if (birth && writes !== undefined) this.#see(known.shard, { ...birth, writes });
    if (text === undefined) return;
    const name = nameOf(key);
    const notedMs = this.#store.now();
    this.#lines.delete(name);
    this.#lines.set(name, { key, text, keptUntilMs, notedMs });
    for (const [oldest, line] of this.#lines) {
      if (this.#lines.size <= MAX_LEDGER && line.notedMs > notedMs - LEDGER_MS) break;
      this.#lines.delete(oldest);
    }
  }

  /**
   * Looks whether the store holds what this process has seen and acknowledged, and puts back what it does not. Callers
   * at the same time share one round.
   * @throws StoreUnavailable
   */
  async standUp(): Promise<void> {
    this.#round ??= this.#standUp().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Whether another server answers than the one that was looked at. */
  get isElsewhere(): boolean {
    return this.#incarnation !== undefined && this.#store.incarnation !== this.#incarnation;
  }

  async #standUp(): Promise<void> {
    const { incarnation } = this.#store;
    const lines = [...this.#lines.values()];
    let shards = 0;
    for (const [shard, before] of [...this.#births]) if (await this.#lookAt(shard, before)) shards++;
    let again = 0;
    for (let from = 0; from < lines.length; from += CHUNK) {
      const put = await Promise.all(lines.slice(from, from + CHUNK).map((line) => this.#putBack(line)));
      again += put.filter(Boolean).length;
    }
    this.#incarnation = incarnation;
    if (shards === 0 && again === 0) return;
    const setbacks = ++this.#setbacks;
    this.#tell({ shards, again, remembered: lines.length, sinceMs: lines[0]?.notedMs, setbacks });
  }

  /** @returns whether the shard had gone back */
  async #lookAt(shard: number, before: Birth): Promise<boolean> {
    const key: StoreKey = { kind: 'birth', shard };
    return attempt(async () => {
      const [text] = await this.#store.read([key]);
      const birth = parseBirth(text);
      // One that is missing is written by the next who needs it, and denies all that was.
      if (!birth || !isOlder(birth, before)) return false;
      this.#births.set(shard, birth);
      if (birth.atMs === before.atMs) return true;
      // Sessions that the later record denies would stand again.
      const value = birthValue(before.foreignSinceMs, before.writes);
      return (await this.#put(key, text, value, before.atMs, undefined)) || undefined;
    });
  }

  /** @returns whether the store held less than this */
  async #putBack({ key, text, keptUntilMs }: Line): Promise<boolean> {
    return attempt(async () => {
      const [standing] = await this.#store.read([key]);
      const lifetimeMs = keptUntilMs - this.#store.now();
      if (lifetimeMs <= 0 || !isFurther(key, text, standing)) return false;
      const { value, atMs } = draftOf(text);
      return (await this.#put(key, standing, value, atMs, lifetimeMs)) || undefined;
    });
  }

  /** With the stamp that it had: a cut-off must not end what began since, nor a window begin anew. */
  async #put(key: StoreKey, expected: string | undefined, value: string, atMs: number, lifetimeMs: number | undefined) {
    const draft = { value, atLeastMs: atMs, atMostMs: atMs };
    const { won } = await this.#store.swap(key, expected, draft, lifetimeMs, this.#store.now() + VERDICT_AGE_MS);
    return won;
  }

  #see(shard: number, birth: Birth): void {
    const before = this.#births.get(shard);
    if (!before || isOlder(before, birth)) this.#births.set(shard, birth);
  }
}
