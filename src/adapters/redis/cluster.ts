// Owns the case of a Redis Cluster: each shard on the primary that has its slot, also while that slot is on its way.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { clientMaker, type TlsSource } from './client.js';
import { ClusterMap } from './cluster-map.js';
import type { ClusterNode } from './cluster-nodes.js';
import { keyNames, SHARDS } from './keys.js';
import { Primary, type PrimaryOptions } from './primary.js';
import { type Found, ReadBatch } from './read-batch.js';
import { READ } from './read-script.js';
import { type Redirect, redirectOf } from './redirect.js';
import { markOf } from './replicas.js';
import { evaluate, type Script } from './script.js';
import type { Servers, SwapAnswer } from './servers.js';
import { SWAP } from './swap-script.js';
import type { RedisTarget } from './url.js';

/** How often a command is sent after its slot before its caller hears "cannot tell". */
const MAX_HOPS = 3;

type Outcome<T> = { readonly answer: T } | { readonly redirect: Redirect };

const bornOf = (shard: number): string => keyNames([{ kind: 'birth', shard }])[0] ?? '';

export class Cluster implements Servers {
  readonly opened: Promise<void>;
  readonly #options: PrimaryOptions;
  readonly #target: RedisTarget;
  readonly #tls: TlsSource | undefined;
  readonly #map: ClusterMap;
  readonly #reads: readonly ReadBatch[];
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
    this.#reads = this.#owners.map((_, shard) => new ReadBatch((keys) => this.#fetch(shard, keys)));
    const { connectTimeoutMs, commandTimeoutMs, monotonicMs } = options;
    const bounds = { connectTimeoutMs, commandTimeoutMs, monotonicMs };
    this.#map = new ClusterMap({ ...bounds, target, tls, heard: () => this.#follow() });
  }

  primaryOf(shard: number): Primary {
    const primary = this.#primaries.get(this.#owners[shard] ?? '');
    if (!primary) throw new StoreUnavailable('it is not known yet which node of the cluster has this slot');
    return primary;
  }

  incarnationOf(shard: number): string | undefined {
    return this.#primaries.get(this.#owners[shard] ?? '')?.connection.incarnation;
  }

  read(shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    const batch = this.#reads[shard];
    if (!batch) throw new RangeError(`there is no shard ${shard}`);
    return batch.read(keys);
  }

  async swap(shard: number, keys: readonly string[], args: readonly string[]): Promise<SwapAnswer> {
    const run = (client: Redis) => evaluate(client, SWAP, keys, args) as Promise<unknown> as Promise<SwapAnswer>;
    const outcome = await this.#atOwner(shard, run);
    if ('answer' in outcome) return outcome.answer;
    // Entry and birth record may be at two nodes for as long as the slot is on its way. The entry alone decides; that the
    // count is not raised hides a loss of this one write from it, but not from who looks at the server's name.
    return (await this.#alone(shard, SWAP, keys.slice(0, 1), args)) as SwapAnswer;
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
    const closing = [this.#map, ...this.#primaries.values()].map((each) => each.close());
    this.#settleOpened?.reject(new StoreUnavailable('the store is closed'));
    await Promise.all(closing);
  }

  async #fetch(shard: number, keys: readonly string[]): Promise<readonly Found[]> {
    const run = (client: Redis) => evaluate(client, READ, keys, []) as Promise<readonly Found[]>;
    const outcome = await this.#atOwner(shard, run);
    return 'answer' in outcome ? outcome.answer : this.#fetchApart(shard, keys);
  }

  /**
   * Reads keys one by one, where they may be at two nodes. No more at one moment; yet what is decided by them holds at
   * the moment of the first read: entries only move forward, so one that does not deny later did not deny then. The birth
   * record comes last, for it speaks for those that were absent: if the data was wiped meanwhile, it is younger, or gone.
   */
  async #fetchApart(shard: number, keys: readonly string[]): Promise<readonly Found[]> {
    const born = bornOf(shard);
    const one = async (key: string): Promise<Found> => {
      const [found = null] = (await this.#alone(shard, READ, [key], [])) as readonly Found[];
      return found;
    };
    const first = new Map(
      await Promise.all(keys.filter((key) => key !== born).map(async (key) => [key, await one(key)] as const)),
    );
    const last = keys.includes(born) ? await one(born) : null;
    return keys.map((key) => (key === born ? last : (first.get(key) ?? null)));
  }

  /** Runs a script on one key, wherever that is. */
  async #alone(shard: number, script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const outcome = await this.#atOwner(shard, (client) => evaluate(client, script, keys, args));
      if ('answer' in outcome) return outcome.answer;
      const { redirect } = outcome;
      if (redirect.is === 'ask') {
        const node = this.#map.nodeAt(redirect.place);
        const there = await this.#at(node, (client) => evaluate(client, script, keys, args, true));
        if (!this.#map.isPrimary(node.id))
          throw new StoreUnavailable('a slot is on its way to a node that is no primary');
        if ('answer' in there) return there.answer;
      }
      await this.#map.look();
    }
    throw new StoreUnavailable('a slot of the cluster is on its way to another node');
  }

  /** Runs commands at the node that has a shard; one that has it no more did nothing, and names no other that is believed. */
  async #atOwner<T>(shard: number, run: (client: Redis) => Promise<T>): Promise<Outcome<T>> {
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const owner = this.#map.ownerOf(shard);
      const outcome = await this.#at(owner, run);
      if ('redirect' in outcome && outcome.redirect.is === 'moved') {
        await this.#map.look();
        continue;
      }
      this.#map.check(shard, owner.id);
      return outcome;
    }
    throw new StoreUnavailable('the nodes of the cluster do not agree on who has this slot');
  }

  #at<T>(node: ClusterNode, run: (client: Redis) => Promise<T>): Promise<Outcome<T>> {
    return this.#primary(node, undefined).connection.run<Outcome<T>>(async ({ client }) => {
      try {
        return { answer: await run(client) };
      } catch (error) {
        const redirect = redirectOf(error);
        if (redirect) return { redirect };
        throw error;
      }
    });
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
      if (owners.has(id) || this.#map.isPrimary(id)) continue;
      this.#primaries.delete(id);
      void primary.close();
    }
    this.#tellOpened();
  }

  #believed(shard: number): ClusterNode | undefined {
    try {
      return this.#map.ownerOf(shard);
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
      { ...this.#options, log: this.#options.log },
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
