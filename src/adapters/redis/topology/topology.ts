// The Redis servers behind the store: their connections, and the owner of each shard at the moment of use.
//
// The owner is the server that a group's lease names. Commands go to it, its clock counts, its incarnation is compared,
// and WAIT concerns its replicas. All of this is looked up at each use.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../../core/errors.js';
import type { Use } from '../link.js';
import type { Owners, ServerAddress } from './owners.js';
import { TAKEOVER_DELAY_MS } from './primary-lease.js';
import { Reachability } from './reachability.js';
import { Server, type ServerOptions } from './server.js';
import { logOfServer } from './server-log.js';
import { ServerSet } from './server-set.js';
import { ShardGroup, waitWritesOf } from './shard-group.js';

/** How often owners are looked up without a call, ms: a lease begins and ends by time alone. */
const FOLLOW_EVERY_MS = 50;
/** How long one reason for a missing owner is kept, ms, even if there is another one. */
const REASON_MS = 1_000;

const CLOSED = 'the store is closed';

export class Topology {
  /**
   * Resolves when all groups are reachable.
   * @throws UnsafeStore if a server must not be used; StoreUnavailable if closed before
   */
  readonly opened: Promise<void>;
  readonly #options: ServerOptions;
  readonly #owners: Owners;
  readonly #servers: ServerSet;
  readonly #groups: readonly ShardGroup[];
  readonly #reachability: Reachability;
  readonly #following: NodeJS.Timeout;
  #settle: { readonly resolve: () => void; readonly reject: (reason: Error) => void } | undefined;
  #closed = false;
  readonly #quietUntilMs: number;
  #reason = { text: '', untilMs: Number.NEGATIVE_INFINITY };

  /** Connects, and reconnects until it is closed. */
  constructor(options: ServerOptions, owners: Owners) {
    this.#options = options;
    this.#owners = owners;
    this.#quietUntilMs = options.monotonicMs() + TAKEOVER_DELAY_MS + options.connectTimeoutMs;
    this.#servers = new ServerSet(owners, (address) => this.#makeServer(address));
    this.#groups = Array.from({ length: owners.groups }, () => new ShardGroup());
    this.#reachability = new Reachability(this.#groups, options.log);
    this.opened = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // A rejection without a listener would end the process.
    this.opened.catch(() => {});
    owners.watch(() => this.#follow());
    this.#following = setInterval(() => this.#follow(), FOLLOW_EVERY_MS).unref();
    this.#follow();
  }

  /** The owner of a shard, or the last one. @throws StoreUnavailable if there was none yet */
  lastOwnerOf(shard: number): Server {
    return this.#current(shard).server;
  }

  /** The owner of a shard now. @throws StoreUnavailable if no server may be used */
  ownerOf(shard: number): Server {
    const group = this.#group(shard);
    if (!this.#own(shard, group)) throw new StoreUnavailable(this.#closed ? CLOSED : this.#owners.why);
    return group.server;
  }

  /** The server that a shard's slot is moving to; undefined: none, or not known. */
  destinationOf(shard: number): Server | undefined {
    return this.#current(shard).destination;
  }

  /** Identifies the servers that answer for a shard now; undefined: none has answered yet. */
  incarnationOf(shard: number): string | undefined {
    return this.#current(shard).incarnation;
  }

  /** The highest time that the owners of a shard have had, Unix ms; 0: none was reached. */
  latestMs(shard: number): number {
    return this.#current(shard).latestMs;
  }

  /** How long since a time (Unix ms) this process has reached a shard's owner, ms. */
  reachedMsSince(shard: number, atMs: number): number {
    return this.#current(shard).reachedMsSince(atMs);
  }

  /**
   * Runs commands at the owner of a shard, which must still own it when the answer arrives.
   * @throws StoreUnavailable
   */
  async run<T>(shard: number, use: Use, commands: (client: Redis) => Promise<T>): Promise<T> {
    const owner = this.ownerOf(shard);
    // The node may have owned none of our slots before; then there is no connection to it.
    if (owner.connection.incarnation === undefined && this.reachableSinceMs !== undefined) await owner.firstReached();
    const answer = await owner.connection.run(use, commands);
    if (this.ownerOf(shard) !== owner) throw new StoreUnavailable('another Redis owns this slot by now');
    return answer;
  }

  /** See `Store`. @throws StoreUnavailable */
  async waitForReplicas(shard: number, incarnation: string | undefined): Promise<void> {
    if (this.#options.minReplicas > 0) {
      this.ownerOf(shard);
      await Promise.all(this.#group(shard).servers.map((server) => server.waitForReplicas()));
    }
    this.ownerOf(shard);
    if (this.incarnationOf(shard) !== incarnation)
      throw new StoreUnavailable('another Redis answers now than at the start of the call');
  }

  /** The time since which some group is reachable without a break, its owner's time, Unix ms; undefined: none is. */
  get reachableSinceMs(): number | undefined {
    return this.#reachability.sinceMs;
  }

  /** See `Store`. */
  watch(listener: (reachable: boolean) => void): () => void {
    return this.#reachability.watch(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#following);
    const closing = [this.#owners.close(), this.#servers.close()];
    this.#settle?.reject(new StoreUnavailable(CLOSED));
    this.#updateAll();
    await Promise.all(closing);
  }

  #group(shard: number): ShardGroup {
    const group = this.#groups[this.#groups.length === 1 ? 0 : shard];
    if (!group) throw new RangeError(`there is no shard ${shard}`);
    return group;
  }

  /** The group of a shard, updated with its present owner, if there is one. */
  #current(shard: number): ShardGroup {
    const group = this.#group(shard);
    this.#own(shard, group);
    return group;
  }

  /** Updates a group with its present owner. @returns whether there is one */
  #own(index: number, group: ShardGroup): boolean {
    const id = this.#closed ? undefined : this.#owners.ownerOf(index);
    if (id === undefined) return false;
    const server = this.#servers.get(id);
    if (!server) return false;
    const destination = this.#owners.destinationOf(index);
    const next = destination === undefined ? undefined : this.#servers.get(destination);
    if (!group.isOf(server, next)) group.own(server, next);
    return true;
  }

  #makeServer(address: ServerAddress): Server {
    const log = logOfServer(this.#options.log, address.label);
    const server = new Server(
      { ...this.#options, log },
      {
        address,
        clustered: this.#groups.length > 1,
        waitWrites: () => waitWritesOf(server, this.#groups),
        changed: () => this.#updateAll(),
      },
    );
    return server;
  }

  /** Connects to the wanted servers, updates the owner of each group, and closes servers that no group needs. */
  #follow(): void {
    if (this.#closed) return;
    for (const id of this.#owners.wanted) this.#servers.get(id);
    this.#updateAll();
    const inUse = new Set(this.#groups.flatMap(({ servers }) => servers));
    this.#servers.closeUnneeded(inUse, this.#options.monotonicMs());
  }

  #updateAll(): void {
    const hasChanged = this.#reachability.update((group, index) =>
      this.#own(index, group) || this.#closed ? undefined : this.#whyNoOwner(group),
    );
    const { unsafe } = this.#servers;
    if (unsafe) this.#settle?.reject(unsafe);
    if (this.#reachability.isComplete) this.#settle?.resolve();
    if (hasChanged) this.#reachability.notify();
  }

  /** The reason changes at most once a second, so that voters that fail in turn do not fill the log. */
  #whyNoOwner(group: ShardGroup): string {
    const nowMs = this.#options.monotonicMs();
    // At the start, the voters' answers and the takeover delay take time.
    if (!group.wasReached && nowMs < this.#quietUntilMs) return group.why;
    if (nowMs >= this.#reason.untilMs) this.#reason = { text: this.#owners.why, untilMs: nowMs + REASON_MS };
    return this.#reason.text;
  }
}
