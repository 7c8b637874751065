// Owns the primaries of a cluster: one for each node that has shards of ours, made and let go of as the nodes say.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { clientMaker, type TlsSource } from './client.js';
import { ClusterMap } from './cluster-map.js';
import type { ClusterNode } from './cluster-nodes.js';
import { keyNames, SHARDS } from './keys.js';
import { Primary, type PrimaryOptions } from './primary.js';
import type { Log } from './reachability.js';
import { READ } from './read-script.js';
import { redirectOf } from './redirect.js';
import { markOf } from './replicas.js';
import { evaluate } from './script.js';
import type { Place, RedisTarget } from './url.js';

/** A log that tells which node each line is about. */
function named(log: Log, { host, port }: Place): Log {
  const server = `${host}:${port}`;
  return {
    info: (fields, message) => log.info({ ...fields, server }, message),
    warn: (fields, message) => log.warn({ ...fields, server }, message),
    error: (fields, message) => log.error({ ...fields, server }, message),
  };
}

export const bornOf = (shard: number): string => keyNames([{ kind: 'birth', shard }])[0] ?? '';

export class ClusterPrimaries {
  readonly map: ClusterMap;
  readonly opened: Promise<void>;
  readonly #options: PrimaryOptions;
  readonly #target: RedisTarget;
  readonly #tls: TlsSource | undefined;
  /** By the ids of their nodes. */
  readonly #primaries = new Map<string, Primary>();
  /** By shard who has it, or was the last to have it. */
  readonly #owners = Array<string | undefined>(SHARDS).fill(undefined);
  readonly #listeners = new Set<(reachable: boolean) => void>();
  #settleOpened: { readonly resolve: () => void; readonly reject: (reason: unknown) => void } | undefined;

  /** Starts to connect, and does not stop until it is closed. */
  constructor(options: PrimaryOptions, target: RedisTarget, tls: TlsSource | undefined) {
    this.#options = options;
    this.#target = target;
    this.#tls = tls;
    this.opened = new Promise((resolve, reject) => {
      this.#settleOpened = { resolve, reject };
    });
    this.opened.catch(() => {});
    const { connectTimeoutMs, commandTimeoutMs, monotonicMs } = options;
    const bounds = { connectTimeoutMs, commandTimeoutMs, monotonicMs };
    this.map = new ClusterMap({ ...bounds, target, tls, heard: () => this.#follow() });
  }

  /** The one that has a shard, or was the last to have it. @throws StoreUnavailable if none is known yet */
  of(shard: number): Primary {
    const primary = this.#primaries.get(this.#owners[shard] ?? '');
    if (!primary) throw new StoreUnavailable('it is not known yet which node of the cluster has this slot');
    return primary;
  }

  /** The id of its node; undefined: none is known yet. */
  ownerOf(shard: number): string | undefined {
    return this.#owners[shard];
  }

  /** The one of a node, if there is one. */
  get(id: string | undefined): Primary | undefined {
    return this.#primaries.get(id ?? '');
  }

  /** The one of a node, which is made if there is none. */
  at(node: ClusterNode): Primary {
    return this.#primary(node, undefined);
  }

  get reachableSinceMs(): number | undefined {
    const since = [...new Set(this.#owners)].map((id) => this.#primaries.get(id ?? '')?.reachability.sinceMs);
    const reached = since.filter((ms) => ms !== undefined);
    return reached.length === 0 ? undefined : Math.min(...reached);
  }

  watch(listener: (reachable: boolean) => void): () => void {
    const entry = (reachable: boolean) => listener(reachable);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  async close(): Promise<void> {
    const closing = [this.map, ...this.#primaries.values()].map((each) => each.close());
    this.#settleOpened?.reject(new StoreUnavailable('the store is closed'));
    await Promise.all(closing);
  }

  /** After each word of a node: takes over who has which shard, and lets go of those that have none. */
  #follow(): void {
    for (const shard of this.#owners.keys()) {
      const before = this.#owners[shard];
      const owner = this.#believed(shard);
      if (!owner || owner.id === before) continue;
      this.#primary(owner, this.#primaries.get(before ?? ''));
      this.#owners[shard] = owner.id;
    }
    const owners = new Set(this.#owners);
    for (const [id, primary] of this.#primaries) {
      if (owners.has(id) || this.map.isPrimary(id)) continue;
      this.#primaries.delete(id);
      void primary.close();
    }
    this.#tellOpened();
  }

  #believed(shard: number): ClusterNode | undefined {
    try {
      return this.map.ownerOf(shard);
    } catch {
      return undefined;
    }
  }

  /** @param before whose place it takes: what was spent without that one was spent without it */
  #primary({ id, place }: ClusterNode, before: Primary | undefined): Primary {
    const known = this.#primaries.get(id);
    if (known) return known;
    const makeClient = clientMaker(this.#target.urlOf(place), this.#options.connectTimeoutMs, this.#tls);
    const shards = (): number[] => [...this.#owners.keys()].filter((shard) => this.#owners[shard] === id);
    const probe = async (client: Redis): Promise<unknown> => {
      const [shard = 0] = shards();
      // That the slot is another's, or on its way, is no fault of the server's.
      return evaluate(client, READ, [bornOf(shard)], []).catch((error: unknown) => {
        if (!redirectOf(error)) throw error;
      });
    };
    const awayFromMs = before?.reachability.awaySinceMs ?? before?.clock.now() ?? 0;
    const primary = new Primary(
      { ...this.#options, log: named(this.#options.log, place) },
      { find: async () => ({ makeClient, check: () => {} }), probe, marks: () => shards().map(markOf), awayFromMs },
    );
    this.#primaries.set(id, primary);
    primary.reachability.watch((reachable) => this.#changed(reachable));
    primary.reachability.opened.catch((error) => {
      if (!(error instanceof StoreUnavailable)) this.#settleOpened?.reject(error);
    });
    return primary;
  }

  #changed(reachable: boolean): void {
    this.#tellOpened();
    if (reachable || this.reachableSinceMs === undefined)
      for (const listener of [...this.#listeners]) listener(reachable);
  }

  #tellOpened(): void {
    const reached = (id: string | undefined): boolean =>
      this.#primaries.get(id ?? '')?.reachability.sinceMs !== undefined;
    if (this.#owners.every(reached)) this.#settleOpened?.resolve();
  }
}
