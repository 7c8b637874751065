// The store's commands for a Redis Cluster: sent to the owner of a slot, also while the slot is moving.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../../core/errors.js';
import { PAGE_ENTRIES } from '../../../core/feed/limits.js';
import { doubtText, type LogPage } from '../../../core/feed/log-entry.js';
import { APPEND_ALONE } from '../append-script.js';
import { APPLIED, COMPARE_AND_SET, END_ARGS } from '../compare-and-set-script.js';
import { birthName, logName, SHARDS } from '../keys.js';
import type { Use } from '../link.js';
import { idAfter, pageOf } from '../log-pages.js';
import { type RawPage, READ_LOG } from '../log-read-script.js';
import { type RawValue, ReadBatch } from '../read-batch.js';
import { READ } from '../read-script.js';
import { evaluate, type Script, type ScriptCall } from '../script.js';
import type { ClusterOwners } from './cluster-owners.js';
import type { Commands, CompareAndSetAnswer, WriteCall } from './direct-commands.js';
import { type Redirect, redirectOf } from './redirect.js';
import type { Topology } from './topology.js';

/** How often a command follows redirections before it fails with StoreUnavailable. */
const MAX_HOPS = 3;

type Outcome<T> = { readonly answer: T } | { readonly redirect: Redirect };

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

  async compareAndSet(shard: number, call: WriteCall): Promise<CompareAndSetAnswer> {
    const { keys, args } = call;
    const run = (client: Redis) =>
      evaluate(client, COMPARE_AND_SET, call) as Promise<unknown> as Promise<CompareAndSetAnswer>;
    const outcome = await this.#atOwner(shard, 'write', run);
    if ('answer' in outcome) return outcome.answer;
    // While the slot is moving, the entry, the birth record and the log may be at two nodes. The entry alone decides.
    // The count is not raised, so it does not reveal a loss of this one write; the server's incarnation does.
    const alone = async () =>
      (await this.#oneKey(shard, COMPARE_AND_SET, { keys: keys.slice(0, 1), args })) as CompareAndSetAnswer;
    const [end = '', ...logArgs] = args.slice(...END_ARGS);
    return end === '' ? alone() : this.#withDoubt(shard, alone, [...logArgs, doubtText(end)]);
  }

  async readLogs(cursors: readonly (string | undefined)[]): Promise<readonly (LogPage | StoreUnavailable)[]> {
    return Promise.all(
      cursors.map((cursor, shard) =>
        this.#readLog(shard, cursor).catch((error: unknown) => {
          if (error instanceof StoreUnavailable) return error;
          throw error;
        }),
      ),
    );
  }

  async beginLog(shard: number, args: readonly string[]): Promise<void> {
    const keys = [logName(shard), birthName(shard)];
    const run = (client: Redis) => evaluate(client, APPEND_ALONE, { keys, args });
    const outcome = await this.#atOwner(shard, 'write', run);
    // While the slot is moving, the log can begin if it is missing. A mark that is missing stays so, and the log
    // unread.
    if ('redirect' in outcome) await this.#oneKey(shard, APPEND_ALONE, { keys: keys.slice(0, 1), args });
  }

  /**
   * Runs a write that ends something while its slot is moving. The log cannot be written in the same step. So a doubt
   * is appended before: it makes others ask, and is right whether the write is made or not. If another server answers
   * by then, it may lack the doubt, and gets it again.
   */
  async #withDoubt(
    shard: number,
    write: () => Promise<CompareAndSetAnswer>,
    args: readonly string[],
  ): Promise<CompareAndSetAnswer> {
    const append = async (): Promise<string | undefined> => {
      const incarnation = this.#topology.incarnationOf(shard);
      await this.#oneKey(shard, APPEND_ALONE, { keys: [logName(shard)], args });
      return incarnation;
    };
    let doubted = await append();
    const answer = await write();
    if (answer[0] !== APPLIED) return answer;
    for (let n = 0; n < MAX_HOPS && doubted !== this.#topology.incarnationOf(shard); n++) doubted = await append();
    if (doubted === this.#topology.incarnationOf(shard)) return answer;
    throw new StoreUnavailable('the servers of a slot that is moving change too fast');
  }

  async #readLog(shard: number, cursor: string | undefined): Promise<LogPage> {
    const args = [idAfter(cursor), `${PAGE_ENTRIES}`];
    const [log, birth] = [logName(shard), birthName(shard)];
    const run = (client: Redis) => evaluate(client, READ_LOG, { keys: [log, birth], args }) as Promise<RawPage>;
    const outcome = await this.#atOwner(shard, 'read', run);
    if ('answer' in outcome) {
      const [entries, exists, text] = outcome.answer;
      return pageOf(entries, cursor, { exists: exists === 1, birthText: text ?? undefined });
    }
    const [entries, exists] = (await this.#oneKey(shard, READ_LOG, { keys: [log], args })) as RawPage;
    // Last: if the data was wiped in between, the record is newer, or missing.
    const [birthText] = await this.read(shard, [birth]);
    return pageOf(entries, cursor, { exists: exists === 1, birthText });
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
    const born = birthName(shard);
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
