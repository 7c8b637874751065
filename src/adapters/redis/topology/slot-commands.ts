// The store's two commands for a Redis Cluster: sent to the owner of a slot, also while the slot is moving.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../../core/errors.js';
import { COMPARE_AND_SET } from '../compare-and-set-script.js';
import type { Use } from '../connection.js';
import { keyNames, SHARDS } from '../keys.js';
import { type RawValue, ReadBatch } from '../read-batch.js';
import { READ } from '../read-script.js';
import { evaluate, type Script, type ScriptCall } from '../script.js';
import type { ClusterOwners } from './cluster-owners.js';
import type { Commands, CompareAndSetAnswer } from './direct-commands.js';
import { type Redirect, redirectOf } from './redirect.js';
import type { Topology } from './topology.js';

/** How often a command follows redirections before it fails with StoreUnavailable. */
const MAX_HOPS = 3;

type Outcome<T> = { readonly answer: T } | { readonly redirect: Redirect };

const birthKeyOf = (shard: number): string => keyNames([{ kind: 'birth', shard }])[0] ?? '';

/** Returns a redirection as an outcome; other errors are thrown. */
const redirectable =
  <T>(run: (client: Redis) => Promise<T>) =>
  async (client: Redis): Promise<Outcome<T>> => {
    try {
      return { answer: await run(client) };
    } catch (error) {
      const redirect = redirectOf(error);
      if (redirect) return { redirect };
      throw error;
    }
  };

export class SlotCommands implements Commands {
  readonly #topology: Topology;
  readonly #owners: ClusterOwners;
  readonly #reads: readonly ReadBatch[];

  constructor(topology: Topology, owners: ClusterOwners) {
    this.#topology = topology;
    this.#owners = owners;
    this.#reads = Array.from({ length: SHARDS }, (_, shard) => new ReadBatch((keys) => this.#fetch(shard, keys)));
  }

  read(shard: number, keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    const batch = this.#reads[shard];
    if (!batch) throw new RangeError(`there is no shard ${shard}`);
    return batch.read(keys);
  }

  async compareAndSet(shard: number, keys: readonly string[], args: readonly string[]): Promise<CompareAndSetAnswer> {
    const run = (client: Redis) =>
      evaluate(client, COMPARE_AND_SET, { keys, args }) as Promise<unknown> as Promise<CompareAndSetAnswer>;
    const outcome = await this.#atOwner(shard, 'write', run);
    if ('answer' in outcome) return outcome.answer;
    // While the slot is moving, the entry and the birth record may be at two nodes. The entry alone decides. The count
    // is not raised, so it does not reveal a loss of this one write; the server's incarnation does.
    return (await this.#oneKey(shard, COMPARE_AND_SET, { keys: keys.slice(0, 1), args })) as CompareAndSetAnswer;
  }

  async #fetch(shard: number, keys: readonly string[]): Promise<readonly RawValue[]> {
    const run = (client: Redis) => evaluate(client, READ, { keys }) as Promise<readonly RawValue[]>;
    const outcome = await this.#atOwner(shard, 'read', run);
    return 'answer' in outcome ? outcome.answer : this.#fetchOneByOne(shard, keys);
  }

  /**
   * Reads keys one by one, since they may be at two nodes. This is not atomic. The decision holds at the time of the
   * first read: entries only move forward, so an entry that does not deny later did not deny then. The birth record is
   * read last, since it decides about missing keys: if the data was wiped in between, the record is newer, or missing.
   */
  async #fetchOneByOne(shard: number, keys: readonly string[]): Promise<readonly RawValue[]> {
    const born = birthKeyOf(shard);
    const one = async (key: string): Promise<RawValue> => {
      const [found = null] = (await this.#oneKey(shard, READ, { keys: [key] })) as readonly RawValue[];
      return found;
    };
    const first = new Map(
      await Promise.all(keys.filter((key) => key !== born).map(async (key) => [key, await one(key)] as const)),
    );
    const last = keys.includes(born) ? await one(born) : null;
    return keys.map((key) => (key === born ? last : (first.get(key) ?? null)));
  }

  /** Runs a script on one key, at the owner or at the destination of its slot. */
  async #oneKey(shard: number, script: Script, call: ScriptCall): Promise<unknown> {
    const use = script.access ?? 'read';
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const outcome = await this.#atOwner(shard, use, (client) => evaluate(client, script, call));
      if ('answer' in outcome) return outcome.answer;
      if (outcome.redirect === 'ask') {
        const there = await this.#atDestination(shard, use, (client) =>
          evaluate(client, script, { ...call, asking: true }),
        );
        if (there && 'answer' in there) return there.answer;
      }
      await this.#owners.look();
    }
    throw new StoreUnavailable('a slot of the cluster is moving to another node');
  }

  /**
   * Runs commands at the owner of a shard. After MOVED, which runs nothing, asks the nodes for the new owner, and
   * retries.
   */
  async #atOwner<T>(shard: number, use: Use, run: (client: Redis) => Promise<T>): Promise<Outcome<T>> {
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const outcome = await this.#topology.run(shard, use, redirectable(run));
      if (!('redirect' in outcome && outcome.redirect === 'moved')) return outcome;
      await this.#owners.look();
    }
    throw new StoreUnavailable('the nodes of the cluster do not agree on the owner of this slot');
  }

  /** Runs commands at the node that a slot is moving to; undefined: the node is not known yet. */
  async #atDestination<T>(
    shard: number,
    use: Use,
    run: (client: Redis) => Promise<T>,
  ): Promise<Outcome<T> | undefined> {
    if (!this.#topology.destinationOf(shard)) await this.#owners.look();
    const server = this.#topology.destinationOf(shard);
    if (!server) return undefined;
    // The node may own none of our slots yet; then there is no connection to it.
    await server.firstReached();
    const outcome = await server.connection.run(use, redirectable(run));
    if (!this.#owners.isPrimary(server.address.id) || this.#topology.destinationOf(shard) !== server)
      throw new StoreUnavailable('a slot of the cluster is moving to a node that is no primary');
    return outcome;
  }
}
