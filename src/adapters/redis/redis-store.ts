// The store on Redis: the core's Store port, by keys and scripts.

import { StoreUnavailable } from '../../core/errors.js';
import { logWindowMs } from '../../core/feed/limits.js';
import type { LogPage } from '../../core/feed/log-entry.js';
import type { CompareAndSetResult, EntryUpdate, RevocationLogs, Store } from '../../core/ports.js';
import type { StoreKey } from '../../core/session/store-keys.js';
import type { TlsSource } from './client.js';
import { APPLIED, LATE, LOG_NEEDED } from './compare-and-set-script.js';
import { birthName, endTextOf, entryName, keyNames, logName, SHARDS, shardOf } from './keys.js';
import type { Log } from './server-check.js';
import { ClusterOwners } from './topology/cluster-owners.js';
import { type Commands, DirectCommands, type WriteCall } from './topology/direct-commands.js';
import { SingleOwner } from './topology/owners.js';
import { SentinelOwners } from './topology/sentinel-owners.js';
import type { ServerOptions } from './topology/server.js';
import { SlotCommands } from './topology/slot-commands.js';
import { Topology } from './topology/topology.js';
import { type Credentials, readRedisUrl, sentinelUrlOf } from './url.js';

export interface RedisStoreOptions {
  /** Names one server, Sentinels or a cluster; see `url.ts`. May hold a password; it is never logged. */
  readonly url: string;
  /** The credentials for the Sentinels, if there are any. */
  readonly sentinel?: Credentials | undefined;
  /** Whether a Redis that may evict entries is used as well. */
  readonly allowUnsafe: boolean;
  /** How many replicas must confirm before an acknowledgement. Default 0. */
  readonly minReplicas?: number;
  /** CAs besides Node's own, and a client certificate, for a URL with TLS; called for each connection. */
  readonly tls?: TlsSource | undefined;
  readonly log: Log;
  /** The time limit of a command, ms; afterwards its connection ends. Default 500. */
  readonly commandTimeoutMs?: number;
  /** The time limit for connecting and checking, ms. Default 1,000. */
  readonly connectTimeoutMs?: number;
  /** A monotonic clock, ms. Default: the process's own. */
  readonly monotonicMs?: () => number;
  /** How long an entry of the log is needed, ms. Default: with an ACCESS_TTL of 5 minutes. */
  readonly logWindowMs?: number;
}

const DEFAULT_LOG_WINDOW_MS = logWindowMs(5 * 60 * 1_000);

/** The denylist on Redis, version 6.2 or later. */
export class RedisStore implements Store, RevocationLogs {
  readonly shards = SHARDS;
  readonly #topology: Topology;
  readonly #commands: Commands;
  readonly #logWindowMs: string;

  /** Starts to connect. @throws Error if the URL is invalid */
  constructor(options: RedisStoreOptions) {
    [this.#topology, this.#commands] = connectTo(options);
    this.#logWindowMs = `${options.logWindowMs ?? DEFAULT_LOG_WINDOW_MS}`;
  }

  shardOf(subject: string): number {
    return shardOf(subject);
  }

  now(shard: number): number {
    return this.#topology.lastOwnerOf(shard).clock.now();
  }

  get reachableSinceMs(): number | undefined {
    return this.#topology.reachableSinceMs;
  }

  reachedMsSince(shard: number, atMs: number): number {
    return this.#topology.reachedMsSince(shard, atMs);
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#topology.watch(listener);
  }

  /**
   * Resolves when all shards have been reached for the first time, without a time limit.
   * @throws UnsafeStore if Redis may evict entries; StoreUnavailable if the store is closed before
   */
  opened(): Promise<void> {
    return this.#topology.opened;
  }

  read(keys: readonly StoreKey[]): Promise<readonly (string | undefined)[]> {
    const [first] = keys;
    return first === undefined ? Promise.resolve([]) : this.#commands.read(shardOfKey(first), keyNames(keys));
  }

  async compareAndSet(key: StoreKey, expected: string | undefined, next: EntryUpdate): Promise<CompareAndSetResult> {
    const shard = shardOfKey(key);
    const call = writeCall(key, expected, next);
    const isEnd = next.logged !== undefined && key.kind !== 'birth';
    const first = isEnd ? this.#withLog(shard, call, endTextOf(key), next.logged.presentedMs) : call;
    let answer = await this.#commands.compareAndSet(shard, first);
    // An older version has written in this shard, so the log begins anew.
    if (answer[0] === LOG_NEEDED) answer = await this.#commands.compareAndSet(shard, this.#withLog(shard, call));
    const [outcome, current, writes] = answer;
    if (outcome === LATE) throw new StoreUnavailable('a write reached Redis too late, and was not made');
    if (outcome === LOG_NEEDED) throw new StoreUnavailable('Redis answered a write in an unexpected format');
    const result = { applied: outcome === APPLIED, current: current ?? undefined };
    return writes === undefined ? result : { ...result, writes: Number(writes) };
  }

  /** @param end what is appended to the log; empty: nothing, but the log begins anew if it must */
  #withLog(shard: number, { keys, args }: WriteCall, end = '', presentedMs = 0): WriteCall {
    const latestMs = Math.max(this.latestMs(shard), presentedMs);
    const bounded = args.length === UNBOUNDED_ARGS ? [...args, '', ''] : args;
    return { keys: [...keys, logName(shard)], args: [...bounded, end, this.#logWindowMs, `${latestMs}`] };
  }

  latestMs(shard: number): number {
    return this.#topology.latestMs(shard);
  }

  readLogs(cursors: readonly (string | undefined)[]): Promise<readonly (LogPage | StoreUnavailable)[]> {
    return this.#commands.readLogs(cursors);
  }

  beginLog(shard: number): Promise<void> {
    return this.#commands.beginLog(shard, [this.#logWindowMs, `${this.latestMs(shard)}`, '']);
  }

  incarnationOf(shard: number): string | undefined {
    return this.#topology.incarnationOf(shard);
  }

  /** Waits until enough replicas have everything that this server has answered by now. @throws StoreUnavailable */
  waitForReplicas(shard: number, incarnation: string | undefined): Promise<void> {
    return this.#topology.waitForReplicas(shard, incarnation);
  }

  /** Closes all connections. Unanswered and later calls reject. */
  close(): Promise<void> {
    return this.#topology.close();
  }
}

const shardOfKey = (key: StoreKey): number => (key.kind === 'birth' ? key.shard : shardOf(key.subject));

/** How many arguments a write without bounds of its stamp has. */
const UNBOUNDED_ARGS = 4;

/** The keys and arguments of the compare-and-set script, without those of the log. */
function writeCall(key: StoreKey, expected: string | undefined, next: EntryUpdate): WriteCall {
  const born = birthName(shardOfKey(key));
  const keys = key.kind === 'birth' ? [born] : [entryName(key), born];
  const { notAfterMs, value, lifetimeMs = '', atLeastMs, atMostMs } = next;
  const args = [expected === undefined ? '' : `=${expected}`, `${notAfterMs}`, value, `${lifetimeMs}`];
  if (atLeastMs > 0 || atMostMs !== undefined) args.push(`${atLeastMs}`, `${atMostMs ?? ''}`);
  return { keys, args };
}

function connectTo(options: RedisStoreOptions): [Topology, Commands] {
  const { url, allowUnsafe, log, tls, commandTimeoutMs = 500, connectTimeoutMs = 1_000, minReplicas = 0 } = options;
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const bounds = { connectTimeoutMs, commandTimeoutMs, monotonicMs, tls };
  const servers: ServerOptions = { ...bounds, allowUnsafe, minReplicas, log };
  const target = readRedisUrl(url);
  if (target.kind === 'cluster') {
    const owners = new ClusterOwners({ ...bounds, target });
    const topology = new Topology(servers, owners);
    return [topology, new SlotCommands(topology, owners)];
  }
  const sentinelUrl = sentinelUrlOf(target, options.sentinel);
  const owners =
    target.kind === 'sentinel' ? new SentinelOwners({ ...bounds, target, sentinelUrl }) : new SingleOwner(url);
  const topology = new Topology(servers, owners);
  return [topology, new DirectCommands(topology)];
}
