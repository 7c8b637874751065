// Owns the store on Redis: what the core asks for, said in keys and scripts.

import { StoreUnavailable } from '../../core/errors.js';
import type { Draft, Store, StoreKey, Swapped } from '../../core/ports.js';
import { makeAdmission } from './admission.js';
import { clientMaker, type TlsSource } from './client.js';
import { Connection } from './connection.js';
import { keyNames, SHARDS, shardOf } from './keys.js';
import { type Log, Reachability } from './reachability.js';
import { type Found, ReadBatch } from './read-batch.js';
import { READ } from './read-script.js';
import { Replicas } from './replicas.js';
import { evaluate } from './script.js';
import { StoreClock } from './store-clock.js';
import { LATE, SWAP, WON } from './swap-script.js';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`. May hold a password; it is never logged. */
  readonly url: string;
  /** Use a Redis that may evict entries, too. */
  readonly allowUnsafe: boolean;
  /** How many replicas must have what is acknowledged. Default 0. */
  readonly minReplicas?: number;
  /** What TLS needs beside the roots that Node knows, for a URL with `rediss://`; asked for each connection. */
  readonly tls?: TlsSource | undefined;
  readonly log: Log;
  /** After how long a command is given up on, and its connection with it, ms. Default 500. */
  readonly commandTimeoutMs?: number;
  /** How long it may take until a connection can be used, ms. Default 1,000. */
  readonly connectTimeoutMs?: number;
  /** A clock that is never set, ms. Default: the process's own. */
  readonly monotonicMs?: () => number;
}

type SwapAnswer = readonly [outcome: number, standing?: string | null, writes?: string];

/** The denylist on a Redis that stands alone, version 6 or later. */
export class RedisStore implements Store {
  readonly shards = SHARDS;
  readonly #clock: StoreClock;
  readonly #reachability: Reachability;
  readonly #connection: Connection;
  readonly #reads: ReadBatch;
  readonly #replicas: Replicas | undefined;

  /** Starts to connect. @throws Error if the URL cannot be used */
  constructor(options: RedisStoreOptions) {
    const { url, allowUnsafe, log, commandTimeoutMs = 500, connectTimeoutMs = 1_000, minReplicas = 0 } = options;
    const makeClient = clientMaker(url, connectTimeoutMs, options.tls);
    const clock = new StoreClock(options.monotonicMs ?? (() => performance.now()));
    const reachability = new Reachability(log, () => clock.now());
    const [probe = ''] = keyNames([{ kind: 'birth', shard: 0 }]);
    const admit = makeAdmission(allowUnsafe, probe, log, reachability);
    const twofold = minReplicas > 0;
    const parts = { makeClient, twofold, admit, clock, reachability, commandTimeoutMs, connectTimeoutMs };
    const connection = new Connection(parts);
    this.#clock = clock;
    this.#reachability = reachability;
    this.#connection = connection;
    this.#reads = new ReadBatch((keys) =>
      connection.run(({ client }) => evaluate(client, READ, keys, []) as Promise<readonly Found[]>),
    );
    const replicas = { connection, reachability, clock, least: minReplicas, commandTimeoutMs };
    this.#replicas = twofold ? new Replicas(replicas) : undefined;
  }

  shardOf(subject: string): number {
    return shardOf(subject);
  }

  now(): number {
    return this.#clock.now();
  }

  get reachableSinceMs(): number | undefined {
    return this.#reachability.sinceMs;
  }

  reachedMsSince(atMs: number): number {
    return this.#reachability.reachedMsSince(atMs);
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#reachability.watch(listener);
  }

  /**
   * Resolves when Redis is reached for the first time, however long that takes.
   * @throws UnsafeStore if it may evict entries; StoreUnavailable if the store is closed before
   */
  opened(): Promise<void> {
    return this.#reachability.opened;
  }

  read(keys: readonly StoreKey[]): Promise<readonly (string | undefined)[]> {
    return this.#reads.read(keyNames(keys));
  }

  async swap(
    key: StoreKey,
    expected: string | undefined,
    next: Draft,
    lifetimeMs: number | undefined,
    notAfterMs: number,
  ): Promise<Swapped> {
    const expectation = expected === undefined ? ['0', ''] : ['1', expected];
    const bounds = [`${notAfterMs}`, `${next.atLeastMs}`] as const;
    const args = [...expectation, ...bounds, next.value, `${lifetimeMs ?? ''}`, `${next.atMostMs ?? ''}`];
    const birth: StoreKey[] = key.kind === 'birth' ? [] : [{ kind: 'birth', shard: shardOf(key.subject) }];
    const names = keyNames([key, ...birth]);
    const answer = await this.#connection.run(({ client }) => evaluate(client, SWAP, names, args));
    const [outcome, standing, writes] = answer as SwapAnswer;
    if (outcome === LATE) throw new StoreUnavailable('Redis got a write too late, and did not make it');
    return {
      won: outcome === WON,
      current: standing ?? undefined,
      ...(writes === undefined ? {} : { writes: Number(writes) }),
    };
  }

  get incarnation(): string | undefined {
    return this.#connection.incarnation;
  }

  /** Waits until enough replicas have all that this server has answered until now. @throws StoreUnavailable */
  async settle(incarnation: string | undefined): Promise<void> {
    if (this.#replicas) await this.#replicas.settle(incarnation);
  }

  /** Ends the connection. What has not been answered is rejected, and so is all that is asked later. */
  close(): Promise<void> {
    this.#replicas?.close();
    return this.#connection.close();
  }
}
