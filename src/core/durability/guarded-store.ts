// The store as use cases see it: a read that was checked for lost writes, and a write that is acknowledged.

import type { Revocation, Revocations } from '../events/revocations.js';
import type { Store } from '../ports.js';
import { parseState, type SessionState } from '../session/session-state.js';
import type { EntryKey, StoreKeys } from '../session/store-keys.js';
import type { Births } from './births.js';
import type { Ledger } from './ledger.js';
import { MAX_ATTEMPTS } from './limits.js';
import { tooManyConflicts } from './retry-on-conflict.js';

/** A write to the entry of a session or a subject. */
export interface Commit {
  readonly key: EntryKey;
  /** The value without its stamp. */
  readonly value: string;
  /** The lower bound of the stamp, Unix ms. Default: none. */
  readonly atLeastMs?: number;
  /** How long the entry is kept, the store's time, Unix ms. */
  readonly keptUntilMs: number;
  /** The deadline of the write, the store's time, Unix ms. */
  readonly writeUntilMs: number;
  /** The end that this write is. It is logged with the write, and emitted once it is acknowledged. */
  readonly revocation?: Revocation;
  /** With `revocation`: the latest `iat` of a presented token, Unix ms. Default: none. */
  readonly presentedMs?: number;
  /** Called when the entry is written, before it is acknowledged. */
  readonly onWritten?: () => void;
}

export interface GuardedStoreParts {
  readonly store: Store;
  readonly births: Births;
  readonly ledger: Ledger;
  readonly revocations: Revocations;
}

export class GuardedStore {
  readonly #store: Store;
  readonly #births: Births;
  readonly #ledger: Ledger;
  readonly #revocations: Revocations;

  constructor({ store, births, ledger, revocations }: GuardedStoreParts) {
    this.#store = store;
    this.#births = births;
    this.#ledger = ledger;
    this.#revocations = revocations;
  }

  /** The shard of a subject. */
  shardOf(subject: string): number {
    return this.#store.shardOf(subject);
  }

  /** A shard's time, Unix ms. @throws StoreUnavailable if it is not known yet */
  now(shard: number): number {
    return this.#store.now(shard);
  }

  /** How long since a time (Unix ms) this process has reached a shard, ms. */
  reachedMsSince(shard: number, atMs: number): number {
    return this.#store.reachedMsSince(shard, atMs);
  }

  /** The time since which this process has reached the store, Unix ms; undefined: it does not reach it. */
  get reachableSinceMs(): number | undefined {
    return this.#store.reachableSinceMs;
  }

  /** Calls back when the store becomes reachable or unreachable. Returns a function that stops this. */
  watch(listener: (reachable: boolean) => void): () => void {
    return this.#store.watch(listener);
  }

  /** Reads the entries that decide on a session, or on a subject alone. @throws StoreUnavailable */
  read(storeKeys: StoreKeys): Promise<SessionState> {
    return this.readAndDecide(storeKeys, (state) => state);
  }

  /**
   * Reads the entries as `read` does, and decides on them. Each token of a batch is decided so: every further promise
   * would cost it as much as the decision.
   * @throws StoreUnavailable; what `decide` throws
   */
  readAndDecide<Result>(
    storeKeys: StoreKeys,
    decide: (state: SessionState) => Result | Promise<Result>,
    attempts = MAX_ATTEMPTS,
  ): Promise<Result> {
    const { shard, keys, entries } = storeKeys;
    const ledger = this.#ledger;
    const snapshot = ledger.snapshot(shard);
    const { unrestored } = ledger;
    const { restores } = unrestored;
    /** Entries were missing and have been written, so the texts of the first read are out of date. */
    const readAgain = (): Promise<Result> => {
      if (attempts <= 1) throw tooManyConflicts();
      return this.readAndDecide(storeKeys, decide, attempts - 1);
    };
    return this.#store.read(keys).then((texts) => {
      const birth = this.#births.read(shard, texts[0]);
      if (!birth) return this.#births.write(shard).then(readAgain);
      if (ledger.isBehind(snapshot, birth)) return ledger.reconcile(shard).then(readAgain);
      // Another call may have restored the entry after this read, which then does not have it.
      if (unrestored.restores !== restores) return readAgain();
      if (unrestored.size === 0) return decide(parseState(snapshot, birth, texts));
      return unrestored
        .retry(entries)
        .then(() => (unrestored.restores === restores ? decide(parseState(snapshot, birth, texts)) : readAgain()));
    });
  }

  /**
   * Writes an entry, unless it has changed since it was read, and acknowledges it.
   * @returns whether it was written
   * @throws StoreUnavailable if it may have been written, but was not acknowledged
   */
  async commit(state: SessionState, commit: Commit): Promise<boolean> {
    const { key, value, atLeastMs = 0, keptUntilMs, writeUntilMs: notAfterMs, revocation, presentedMs = 0 } = commit;
    const lifetimeMs = keptUntilMs - this.#store.now(state.shard);
    const logged = revocation && { logged: { presentedMs } };
    const update = { value, atLeastMs, lifetimeMs, notAfterMs, ...logged };
    let written: string | undefined;
    try {
      const result = await this.#store.compareAndSet(key, textAt(key, state), update);
      if (!result.applied) return false;
      written = result.current;
      commit.onWritten?.();
      await this.#ledger.acknowledge(state, key, result, keptUntilMs);
    } catch (error) {
      if (revocation) this.#revocations.notAcknowledged(key, written);
      throw error;
    }
    if (revocation) this.#revocations.acknowledged(revocation);
    return true;
  }

  /**
   * Acknowledges an entry that was read. Call before an answer that rests on it: another call's write may not be on
   * enough replicas yet, and is not in our ledger.
   * @throws StoreUnavailable
   */
  async confirm(state: SessionState, key: EntryKey, keptUntilMs: number): Promise<void> {
    const isNew = await this.#ledger.acknowledge(state, key, { current: textAt(key, state) }, keptUntilMs);
    if (!this.#revocations.hasUnacknowledged) return;
    const revocation = revocationIn(key, state);
    if (revocation) this.#revocations.confirmed(revocation, isNew);
  }

  /** Waits until what was read would survive the loss of its server. @throws StoreUnavailable */
  waitForReplicas({ shard, incarnation }: SessionState): Promise<void> {
    return this.#store.waitForReplicas(shard, incarnation);
  }

  /** Writes the birth records that are missing. @returns how many were missing @throws StoreUnavailable */
  writeBirths(): Promise<number> {
    return this.#births.write();
  }

  /** Restores acknowledged entries that a replaced server has lost. @throws StoreUnavailable */
  async reconcile(): Promise<void> {
    if (this.#ledger.isElsewhere) await this.#ledger.reconcile();
  }
}

const textAt = ({ kind }: EntryKey, { sessionText, notBeforeText }: SessionState): string | undefined =>
  kind === 'session' ? sessionText : notBeforeText;

/** The end that an entry is; undefined: it is none. */
function revocationIn(key: EntryKey, { session, notBefore }: SessionState): Revocation | undefined {
  if (key.kind === 'not-before') return notBefore && key;
  return session?.state === 'ended' ? { ...key, cause: session.cause } : undefined;
}
