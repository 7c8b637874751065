// The Redis servers behind the store: which one answers for which shards, and what is known about them.
//
// One notion of an owner: the server that a group's lease names is the one that is asked, whose clock counts, whose incarnation is
// compared, and whose replicas are waited for. All of it is looked up at the moment of use.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../../core/errors.js';
import type { Log } from '../admission.js';
import type { Use } from '../connection.js';
import { type WaitWrite, waitWriteOf } from '../replicas.js';
import type { Owners } from './owners.js';
import { TAKEOVER_DELAY_MS } from './primary-lease.js';
import { Server, type ServerOptions } from './server.js';
import { ShardGroup } from './shard-group.js';

/** How often owners are looked up without a call, ms: a lease begins and ends with time alone. */
const FOLLOW_EVERY_MS = 50;
/** How long one reason for a missing owner is logged, ms, though another has come. */
const REASON_MS = 1_000;

const CLOSED = 'the store is closed';

/** A log whose lines name a server. */
function labelled(log: Log, server: string | undefined): Log {
  if (server === undefined) return log;
  return {
    info: (fields, message) => log.info({ ...fields, server }, message),
    warn: (fields, message) => log.warn({ ...fields, server }, message),
    error: (fields, message) => log.error({ ...fields, server }, message),
  };
}

export class Topology {
  /** Resolves when all groups have been reached. @throws UnsafeStore if a server must not be used; StoreUnavailable if closed before */
  readonly opened: Promise<void>;
  readonly #options: ServerOptions;
  readonly #owners: Owners;
  readonly #servers = new Map<string, Server>();
  readonly #groups: readonly ShardGroup[];
  readonly #listeners = new Set<(reachable: boolean) => void>();
  readonly #following: NodeJS.Timeout;
  #settle: { readonly resolve: () => void; readonly reject: (reason: Error) => void } | undefined;
  #closed = false;
  readonly #quietUntilMs: number;
  #reason = { text: '', untilMs: Number.NEGATIVE_INFINITY };

  /** Starts to connect, and does not stop until it is closed. */
  constructor(options: ServerOptions, owners: Owners) {
    this.#options = options;
    this.#owners = owners;
    this.#quietUntilMs = options.monotonicMs() + TAKEOVER_DELAY_MS + options.connectTimeoutMs;
    this.#groups = Array.from({ length: owners.groups }, () => new ShardGroup());
    this.opened = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whether anything waits for it is not known here.
    this.opened.catch(() => {});
    owners.watch(() => this.#follow());
    this.#following = setInterval(() => this.#follow(), FOLLOW_EVERY_MS).unref();
    this.#follow();
  }

  /** The server that owns a shard, or was the last to. @throws StoreUnavailable if none has been known yet */
  lastOwnerOf(shard: number): Server {
    return this.#current(shard).server;
  }

  /** The server that owns a shard now. @throws StoreUnavailable if none may be used */
  ownerOf(shard: number): Server {
    const group = this.#group(shard);
    if (!this.#own(shard, group)) throw new StoreUnavailable(this.#closed ? CLOSED : this.#owners.why);
    return group.server;
  }

  /** The server that a shard's slot is moving to. @throws StoreUnavailable if it is not known */
  destinationOf(shard: number): Server | undefined {
    return this.#current(shard).destination;
  }

  /** Names the servers that answer for a shard now; undefined: none has yet. */
  incarnationOf(shard: number): string | undefined {
    return this.#current(shard).incarnation;
  }

  /** How long since a time (Unix ms) this process has reached a shard's owner, ms. */
  reachedMsSince(shard: number, atMs: number): number {
    return this.#current(shard).reachedMsSince(atMs);
  }

  /** Runs commands at the owner of a shard, which must still own it when the answer has come. @throws StoreUnavailable */
  async run<T>(shard: number, use: Use, commands: (client: Redis) => Promise<T>): Promise<T> {
    const owner = this.ownerOf(shard);
    // A slot can come to a node that owned none before, so that there was no connection to it.
    if (owner.incarnation === undefined && this.reachableSinceMs !== undefined) await owner.firstReached();
    const answer = await owner.connection.run(use, commands);
    if (this.ownerOf(shard) !== owner) throw new StoreUnavailable('another Redis has this slot by now');
    return answer;
  }

  /** As the store does. @throws StoreUnavailable */
  async settle(shard: number, incarnation: string | undefined): Promise<void> {
    this.ownerOf(shard);
    await Promise.all(this.#group(shard).servers.map((server) => server.waitForReplicas()));
    this.ownerOf(shard);
    if (this.incarnationOf(shard) !== incarnation)
      throw new StoreUnavailable('another Redis answers now than the one that was asked before');
  }

  /** Since when without a break some group is reached, its owner's time, Unix ms; undefined: none is. */
  get reachableSinceMs(): number | undefined {
    const since = this.#groups.map((group) => group.reachableSinceMs).filter((ms) => ms !== undefined);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  /** As the store does. */
  watch(listener: (reachable: boolean) => void): () => void {
    // Wrapped, so that a function that watches twice stops once.
    const entry = (reachable: boolean) => listener(reachable);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#following);
    const closing = [this.#owners, ...this.#servers.values()].map((each) => each.close());
    this.#settle?.reject(new StoreUnavailable(CLOSED));
    this.#updateAll();
    await Promise.all(closing);
  }

  #group(shard: number): ShardGroup {
    const group = this.#groups[this.#groups.length === 1 ? 0 : shard];
    if (!group) throw new RangeError(`there is no shard ${shard}`);
    return group;
  }

  /** The group of a shard, with the owner of this moment if there is one. */
  #current(shard: number): ShardGroup {
    const group = this.#group(shard);
    this.#own(shard, group);
    return group;
  }

  /** Gives a group its owner of this moment. @returns whether there is one */
  #own(index: number, group: ShardGroup): boolean {
    const id = this.#closed ? undefined : this.#owners.ownerOf(index);
    if (id === undefined) return false;
    const server = this.#server(id);
    if (!server) return false;
    const destination = this.#owners.destinationOf(index);
    const next = destination === undefined ? undefined : this.#server(destination);
    if (!group.isOf(server, next)) group.own(server, next);
    return true;
  }

  #server(id: string): Server | undefined {
    const known = this.#servers.get(id);
    if (known) return known;
    const address = this.#owners.addressOf(id);
    if (!address) return undefined;
    const server = new Server(
      { ...this.#options, log: labelled(this.#options.log, address.label) },
      {
        address,
        clustered: this.#groups.length > 1,
        waitWrites: () => this.#waitWrites(server),
        changed: () => this.#updateAll(),
      },
    );
    this.#servers.set(id, server);
    return server;
  }

  #waitWrites(server: Server): readonly WaitWrite[] {
    return this.#groups.flatMap((group, shard) => {
      if (group.servers[0] === server) return [waitWriteOf(shard, false)];
      return group.destination === server ? [waitWriteOf(shard, true)] : [];
    });
  }

  /** Connects to the servers that are wanted, gives each group its owner, and lets go of servers that none needs. */
  #follow(): void {
    if (this.#closed) return;
    const { wanted } = this.#owners;
    for (const id of wanted) this.#server(id);
    this.#updateAll();
    const nowMs = this.#options.monotonicMs();
    const inUse = new Set(this.#groups.flatMap(({ servers }) => servers));
    for (const [id, server] of this.#servers) {
      const address = this.#owners.addressOf(id);
      const hasMoved = address !== undefined && address.url !== server.address.url;
      if (wanted.has(id) || inUse.has(server)) server.neededMs = nowMs;
      // A server that is needed again in a moment keeps its connection.
      if (!hasMoved && nowMs - server.neededMs <= TAKEOVER_DELAY_MS) continue;
      this.#servers.delete(id);
      void server.close();
    }
  }

  #updateAll(): void {
    const wasReachable = this.reachableSinceMs !== undefined;
    const lines = new Map<string, () => void>();
    let isNew = false;
    for (const [index, group] of this.#groups.entries()) {
      const { why, reachableSinceMs: sinceMs } = group;
      const isOwned = this.#own(index, group);
      group.update(isOwned || this.#closed ? undefined : this.#whyNoOwner(group));
      const { why: detail, reachableSinceMs } = group;
      isNew ||= reachableSinceMs !== undefined && reachableSinceMs !== sinceMs;
      if (detail === why) continue;
      const label = group.servers[0]?.address.label;
      const log = labelled(this.#options.log, label);
      lines.set(`${label} ${detail}`, () =>
        detail === '' ? log.info({}, 'Redis is reachable') : log.warn({ detail }, 'Redis is not reachable'),
      );
    }
    for (const write of lines.values()) write();
    const unsafe = [...this.#servers.values()].map(({ connection }) => connection.unsafe).find((each) => each);
    if (unsafe) this.#settle?.reject(unsafe);
    if (this.#groups.every(({ reachableSinceMs }) => reachableSinceMs !== undefined)) this.#settle?.resolve();
    const isReachable = this.reachableSinceMs !== undefined;
    if (isNew || (wasReachable && !isReachable)) for (const listener of [...this.#listeners]) listener(isReachable);
  }

  /** One text for a while, so that voters which fail in turn do not fill the log. */
  #whyNoOwner(group: ShardGroup): string {
    const nowMs = this.#options.monotonicMs();
    // A start has to wait for the voters, and for the takeover delay.
    if (!group.wasReached && nowMs < this.#quietUntilMs) return group.why;
    if (nowMs >= this.#reason.untilMs) this.#reason = { text: this.#owners.why, untilMs: nowMs + REASON_MS };
    return this.#reason.text;
  }
}
