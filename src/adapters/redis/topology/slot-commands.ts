// Owns the case of a Redis Cluster: each shard on the primary that has its slot, also while that slot is on its way.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import type { TlsSource } from './client.js';
import type { ClusterMap } from './cluster-map.js';
import type { ClusterNode } from './cluster-nodes.js';
import { bornOf, ClusterPrimaries } from './cluster-primaries.js';
import { SHARDS } from './keys.js';
import type { Primary, PrimaryOptions } from './primary.js';
import { type Found, ReadBatch } from './read-batch.js';
import { READ } from './read-script.js';
import { type Redirect, redirectOf } from './redirect.js';
import { evaluate, type Script } from './script.js';
import type { Servers, SwapAnswer } from './servers.js';
import { SWAP } from './swap-script.js';
import type { RedisTarget } from './url.js';

/** How often a command is sent after its slot before its caller hears "cannot tell". */
const MAX_HOPS = 3;

type Outcome<T> = { readonly answer: T } | { readonly redirect: Redirect };

export class Cluster implements Servers {
  readonly #primaries: ClusterPrimaries;
  readonly #map: ClusterMap;
  readonly #reads: readonly ReadBatch[];
  /** By shard who has answered for it though it is only on its way there, and who had it then. */
  readonly #ahead = new Map<number, { readonly owner: string | undefined; readonly ids: Set<string> }>();

  /** Starts to connect, and does not stop until it is closed. */
  constructor(options: PrimaryOptions, target: RedisTarget, tls: TlsSource | undefined) {
    this.#primaries = new ClusterPrimaries(options, target, tls);
    this.#map = this.#primaries.map;
    this.#reads = Array.from({ length: SHARDS }, (_, shard) => new ReadBatch((keys) => this.#fetch(shard, keys)));
  }

  primaryOf(shard: number): Primary {
    return this.#primaries.of(shard);
  }

  incarnationOf(shard: number): string | undefined {
    return this.#primaries.get(this.#primaries.ownerOf(shard))?.connection.incarnation;
  }

  /** Also at the node that has answered for the shard though it is only on its way there: that is acknowledged, too. */
  async settle(shard: number, incarnation: string | undefined): Promise<void> {
    const { replicas } = this.primaryOf(shard);
    if (!replicas) return;
    const settleAhead = async (id: string): Promise<void> => {
      const primary = this.#primaries.get(id);
      if (!primary) throw new StoreUnavailable('a node that has answered for a slot on its way there is gone');
      await primary.replicas?.settle(primary.connection.incarnation);
    };
    await Promise.all([replicas.settle(incarnation), ...[...this.#aheadOf(shard)].map(settleAhead)]);
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
    return this.#primaries.reachableSinceMs;
  }

  watch(listener: (reachable: boolean) => void): () => void {
    return this.#primaries.watch(listener);
  }

  get opened(): Promise<void> {
    return this.#primaries.opened;
  }

  close(): Promise<void> {
    return this.#primaries.close();
  }

  /** Who is ahead of the shard's owner; nobody once that is another one. */
  #aheadOf(shard: number): Set<string> {
    const owner = this.#primaries.ownerOf(shard);
    const known = this.#ahead.get(shard);
    if (known && known.owner === owner) return known.ids;
    const ids = new Set<string>();
    this.#ahead.set(shard, { owner, ids });
    return ids;
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
        if ('answer' in there) {
          this.#aheadOf(shard).add(node.id);
          return there.answer;
        }
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
    return this.#primaries.at(node).connection.run<Outcome<T>>(async ({ client }) => {
      try {
        return { answer: await run(client) };
      } catch (error) {
        const redirect = redirectOf(error);
        if (redirect) return { redirect };
        throw error;
      }
    });
  }
}
