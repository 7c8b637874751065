// A store that wraps another one, and reports the start, the end and the failure of each operation.

import type { StoreUnavailable } from '../../core/errors.js';
import type { LogPage } from '../../core/feed/log-entry.js';
import type { CompareAndSetResult, EntryUpdate, RevocationLogs, Store } from '../../core/ports.js';
import type { StoreKey } from '../../core/session/store-keys.js';

/** `wait` is the wait for replicas. */
export type StoreOperation = 'read' | 'write' | 'wait';

/**
 * Called when an operation begins.
 * @returns called when it has ended; undefined: this one is not observed. `error`: why it failed; undefined: it
 * succeeded
 */
export type ObserveOperation = (operation: StoreOperation) => ((error?: unknown) => void) | undefined;

export class ObservedStore implements Store, RevocationLogs {
  readonly shards: number;
  readonly #store: Store & RevocationLogs;
  readonly #observe: ObserveOperation;
  readonly #waits: boolean;

  /** @param waits whether the store waits for replicas at all; if not, there is nothing to report */
  constructor(store: Store & RevocationLogs, observe: ObserveOperation, waits: boolean) {
    this.shards = store.shards;
    this.#store = store;
    this.#observe = observe;
    this.#waits = waits;
  }

  get reachableSinceMs(): number | undefined {
    return this.#store.reachableSinceMs;
  }

  shardOf(subject: string): number {
    return this.#store.shardOf(subject);
  }

  now(shard: number): number {
    return this.#store.now(shard);
  }

  reachedMsSince(shard: number, atMs: number): number {
    return this.#store.reachedMsSince(shard, atMs);
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#store.watch(listener);
  }

  incarnationOf(shard: number): string | undefined {
    return this.#store.incarnationOf(shard);
  }

  read(keys: readonly StoreKey[]): Promise<readonly (string | undefined)[]> {
    return this.#observed('read', this.#store.read(keys));
  }

  compareAndSet(key: StoreKey, expected: string | undefined, update: EntryUpdate): Promise<CompareAndSetResult> {
    return this.#observed('write', this.#store.compareAndSet(key, expected, update));
  }

  latestMs(shard: number): number {
    return this.#store.latestMs(shard);
  }

  /** Not observed: forty rounds a second would hide the reads of calls. */
  readLogs(cursors: readonly (string | undefined)[]): Promise<readonly (LogPage | StoreUnavailable)[]> {
    return this.#store.readLogs(cursors);
  }

  beginLog(shard: number): Promise<void> {
    return this.#observed('write', this.#store.beginLog(shard));
  }

  waitForReplicas(shard: number, incarnation: string | undefined): Promise<void> {
    const waited = this.#store.waitForReplicas(shard, incarnation);
    return this.#waits ? this.#observed('wait', waited) : waited;
  }

  /** The caller gets the promise of the store itself: another one would cost each call. */
  #observed<Result>(operation: StoreOperation, answer: Promise<Result>): Promise<Result> {
    const end = this.#observe(operation);
    if (end) answer.then(() => end(), end);
    return answer;
  }
}
