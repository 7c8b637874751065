// The ledger: the entries that this process acknowledged lately, and their restore after the store has lost writes.
//
// A failover may lose the last second of writes, and a restart from a snapshot minutes of them. A process detects this
// in two ways: the count in a shard's birth record is lower than one that it has read, or another server answers, where
// other nodes' writes may have raised the count again. A restored entry only moves forward: an end stays, a generation
// and a cut-off never decrease. So a restore is harmless if nothing was lost, or if several nodes restore at once.

import { StoreUnavailable } from '../errors.js';
import type { CompareAndSetResult, Store } from '../ports.js';
import type { Birth } from '../session/entries.js';
import type { EntryKey } from '../session/store-keys.js';
import type { AckRecord } from './ack-record.js';
import { KnownShards, type ShardSnapshot } from './known-shards.js';
import { LEDGER_MS } from './limits.js';
import { RecentAcks } from './recent-acks.js';
import { restoreBirth, restoreEntry } from './restore.js';
import { UnrestoredEntries } from './unrestored-entries.js';

/** The report on a store that lost writes. */
export interface Setback {
  /** How many shards had lost writes. */
  readonly shards: number;
  /** How many entries were restored. */
  readonly again: number;
  /** How many entries could not be restored yet. Calls about them fail with StoreUnavailable. */
  readonly owed: number;
  /** How many entries of these shards the ledger held. */
  readonly remembered: number;
  /** The oldest of their acknowledgements, the store's time, Unix ms; undefined: the ledger held none. */
  readonly sinceMs: number | undefined;
  /** How often this process has found a loss. */
  readonly setbacks: number;
}

/** How many entries are checked at a time. */
const CHUNK = 4_000;

export class Ledger {
  readonly unrestored: UnrestoredEntries;
  readonly #store: Store;
  readonly #report: (setback: Setback) => void;
  readonly #acks = new RecentAcks((record) => this.#isPast(record));
  readonly #shards: KnownShards;
  #round: Promise<void> | undefined;
  #setbacks = 0;

  constructor(store: Store, report: (setback: Setback) => void) {
    this.#store = store;
    this.#report = report;
    this.unrestored = new UnrestoredEntries(store);
    this.#shards = new KnownShards(store);
  }

  /** Call before a read: its answer must hold no less than what is known by then. */
  snapshot(shard: number): ShardSnapshot {
    return this.#shards.snapshot(shard);
  }

  /** Records a birth record that was read. @returns whether the store has lost writes, or may have */
  isBehind(snapshot: ShardSnapshot, birth: Birth): boolean {
    return this.#shards.isBehind(snapshot, birth);
  }

  /**
   * Call before reporting a result as done. The entry that it rests on, written by this call or an earlier one, is then
   * recorded here and, if REDIS_MIN_REPLICAS is set, survives the loss of its server.
   * @param snapshot from before the read that led here
   * @returns whether it is new here: this server has not acknowledged it before
   * @throws StoreUnavailable
   */
  async acknowledge(
    snapshot: ShardSnapshot,
    key: EntryKey,
    { current: text, writes }: Omit<CompareAndSetResult, 'applied'>,
    keptUntilMs: number,
  ): Promise<boolean> {
    const { shard, incarnation, birth } = snapshot;
    // A denied token may be presented again and again: an entry that this server has acknowledged needs no second wait.
    const isKnown = writes === undefined && text !== undefined && this.#acks.holds(key, text, incarnation);
    if (!isKnown) await this.#store.waitForReplicas(shard, incarnation);
    if (birth && writes !== undefined) this.#shards.see(shard, { ...birth, writes });
    if (text !== undefined) {
      this.#acks.add({ shard, key, text, keptUntilMs, acknowledgedMs: this.#store.now(shard), incarnation });
    }
    return !isKnown;
  }

  /**
   * Checks that each replaced server, and the given shard's, still holds every acknowledged entry; restores what is
   * missing. Concurrent callers share one round.
   * @throws StoreUnavailable
   */
  async reconcile(shard?: number): Promise<void> {
    this.#round ??= this.#reconcile(shard).finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Whether another server than the checked one answers for some shard. */
  get isElsewhere(): boolean {
    return this.#shards.elsewhere().length > 0;
  }

  async #reconcile(shard: number | undefined): Promise<void> {
    const store = this.#store;
    // If one shard lost writes, all shards of its server are checked.
    const suspects = new Set(shard === undefined ? [] : [store.incarnationOf(shard)]);
    const elsewhere = new Set(this.#shards.elsewhere());
    const isSuspect = (each: number): boolean => elsewhere.has(each) || suspects.has(store.incarnationOf(each));
    const incarnations = Array.from({ length: store.shards }, (_, each) => each)
      .filter(isSuspect)
      .map((each) => [each, store.incarnationOf(each)] as const);
    const looked = new Set(incarnations.map(([each]) => each));
    // The newest first: a failover loses those.
    const records = this.#acks.newestFirst().filter(({ shard: each }) => looked.has(each));
    const births = Promise.all(this.#shards.birthsOf(looked).map(([each, before]) => this.#lookAt(each, before)));
    births.catch(() => {});
    let again = 0;
    for (let from = 0; from < records.length; from += CHUNK) {
      const put = await Promise.all(records.slice(from, from + CHUNK).map((record) => this.#tryRestore(record)));
      again += put.filter(Boolean).length;
    }
    const shards = (await births).filter(Boolean).length;
    for (const [each, incarnation] of incarnations) this.#shards.setChecked(each, incarnation);
    const owed = this.unrestored.size;
    if (shards === 0 && again === 0 && owed === 0) return;
    const setbacks = ++this.#setbacks;
    this.#report({
      shards,
      again,
      owed,
      remembered: records.length,
      sinceMs: records.at(-1)?.acknowledgedMs,
      setbacks,
    });
  }

  /** An entry that cannot be read or written must not block the others. */
  async #tryRestore(record: AckRecord): Promise<boolean> {
    try {
      const again = await restoreEntry(this.#store, record);
      this.unrestored.restored(record.key);
      return again;
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || this.#store.reachableSinceMs === undefined) throw error;
      this.unrestored.add(record);
      return false;
    }
  }

  /** @returns whether the shard had lost writes */
  async #lookAt(shard: number, before: Birth): Promise<boolean> {
    try {
      const birth = await restoreBirth(this.#store, shard, before);
      if (birth) this.#shards.replace(shard, birth);
      return birth !== undefined;
    } catch (error) {
      // Calls to this shard find the loss again and fail; calls to other shards must not.
      if (!(error instanceof StoreUnavailable) || this.#store.reachableSinceMs === undefined) throw error;
      return true;
    }
  }

  /** A record is kept while its shard's time is not known. */
  #isPast({ shard, acknowledgedMs }: AckRecord): boolean {
    try {
      return acknowledgedMs <= this.#store.now(shard) - LEDGER_MS;
    } catch {
      return false;
    }
  }
}
