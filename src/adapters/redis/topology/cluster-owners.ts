// The owners of a Redis Cluster's slots, as a majority of its nodes names them.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../../core/errors.js';
import { clientMaker, type TlsSource } from '../client.js';
import { SHARDS } from '../keys.js';
import { canDial, type HostPort, hostPortText, type RedisTarget } from '../url.js';
import { type ClusterNode, type ClusterView, parseNodes } from './cluster-nodes.js';
import type { Owners, ServerAddress } from './owners.js';
import { LEASE_MS, PrimaryLease } from './primary-lease.js';
import { Voter } from './voter.js';

/** How long `look` waits for the answers of all nodes, ms. */
const LOOK_MS = 200;
const LOOK_STEP_MS = 10;
/** How often votes are counted that are the same as before, ms: a small part of a lease. */
const COUNT_EVERY_MS = 200;
/** How long a node's view is kept without a new answer, ms. */
const VIEW_MS = 2 * LEASE_MS;

export interface ClusterParts {
  readonly target: RedisTarget;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly tls: TlsSource | undefined;
  readonly monotonicMs: () => number;
}

interface Answer {
  readonly view: ClusterView;
  readonly askedMs: number;
  readonly receivedMs: number;
}

export class ClusterOwners implements Owners {
  readonly groups = SHARDS;
  readonly #parts: ClusterParts;
  readonly #voters = new Map<string, Voter<ClusterView>>();
  /** The last answer of each node, by its id. */
  readonly #answers = new Map<string, Answer>();
  readonly #slots = Array.from({ length: SHARDS }, () => new PrimaryLease());
  /** By the id of each node whether it is a primary. */
  readonly #roles = new Map<string, PrimaryLease>();
  readonly #seeking: NodeJS.Timeout;
  #nodes: ReadonlyMap<string, ClusterNode> = new Map();
  /** By the id of each node that can be connected to. */
  #addresses: ReadonlyMap<string, ServerAddress> = new Map();
  #wanted: ReadonlySet<string> = new Set();
  /** By shard where its owner moves it to. */
  #destinations: readonly (string | undefined)[] = [];
  #countedMs = Number.NEGATIVE_INFINITY;
  #listener = (): void => {};
  #closed = false;

  /** Asks the voters until it is closed. */
  constructor(parts: ClusterParts) {
    this.#parts = parts;
    this.#askSeeds();
    // If all addresses have changed, or the nodes that answer have left the cluster, the names in REDIS_URL lead to it.
    this.#seeking = setInterval(() => !this.#isServed() && this.#askSeeds(), LEASE_MS).unref();
  }

  ownerOf(shard: number): string | undefined {
    return this.#slots[shard]?.holder(this.#parts.monotonicMs());
  }

  get why(): string {
    const silent = [...this.#voters.values()].map(({ why }) => why).filter((why) => why !== '');
    const [first] = silent;
    if (first === undefined)
      return 'the nodes of the cluster do not agree on the owner of this slot, or have named it only just now';
    const all = Math.max(this.#nodes.size, this.#voters.size);
    return `${all - silent.length} of ${all} nodes of the cluster answer, and more than half must agree (${first})`;
  }

  destinationOf(shard: number): string | undefined {
    return this.#destinations[shard];
  }

  /** Whether a majority of nodes names a node as a primary, so that it may answer for a slot that moves to it. */
  isPrimary(id: string): boolean {
    return this.#roles.get(id)?.holder(this.#parts.monotonicMs()) !== undefined;
  }

  get wanted(): ReadonlySet<string> {
    return this.#wanted;
  }

  addressOf(id: string): ServerAddress | undefined {
    return this.#addresses.get(id);
  }

  watch(listener: () => void): void {
    this.#listener = listener;
  }

  /** Asks all nodes at once, and waits briefly for their answers. */
  async look(): Promise<void> {
    const { monotonicMs } = this.#parts;
    const fromMs = monotonicMs();
    for (const voter of this.#voters.values()) voter.nudge();
    const isNew = (id: string): boolean => (this.#answers.get(id)?.askedMs ?? 0) >= fromMs;
    while (!this.#closed && monotonicMs() < fromMs + LOOK_MS && ![...this.#nodes.keys()].every(isNew))
      await sleep(LOOK_STEP_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#seeking);
    await Promise.all([...this.#voters.values()].map((voter) => voter.close()));
  }

  #isServed(): boolean {
    return this.#slots.every((_, shard) => this.ownerOf(shard) !== undefined);
  }

  #askSeeds(): void {
    for (const address of this.#parts.target.addresses) this.#ask(address);
  }

  #ask(address: HostPort): void {
    const name = hostPortText(address);
    // A node that has a TLS port alone is listed with port 0: it is a voter that cannot be asked.
    if (this.#closed || this.#voters.has(name) || !canDial(this.#parts.target, address)) return;
    const { target, connectTimeoutMs, commandTimeoutMs: limitMs, tls, monotonicMs } = this.#parts;
    const makeClient = clientMaker(target.urlOf(address), connectTimeoutMs, tls);
    const ask = (client: Redis) => askNode(client, address);
    const answered = (view: ClusterView, askedMs: number, receivedMs: number) =>
      this.#answered({ view, askedMs, receivedMs });
    this.#voters.set(name, new Voter({ makeClient, ask, limitMs, monotonicMs, answered }));
  }

  #answered(answer: Answer): void {
    const { view, askedMs, receivedMs } = answer;
    const { self, owners, nodes } = view;
    const before = this.#answers.get(self);
    // A node can be asked under two names at once. Then it is not known which question it answered first.
    if (before && askedMs < before.receivedMs) return;
    this.#answers.set(self, answer);
    let isNew = view.destinations.size > 0 || (before?.view.destinations.size ?? 0) > 0;
    for (const [shard, lease] of this.#slots.entries())
      isNew = lease.record(self, { vote: owners[shard], askedMs, receivedMs }) || isNew;
    for (const { id, role } of nodes) {
      const lease = this.#roles.get(id) ?? new PrimaryLease();
      this.#roles.set(id, lease);
      const vote = role === 'primary' ? { server: id, epoch: 0 } : undefined;
      isNew = lease.record(self, { vote, askedMs, receivedMs }) || isNew;
    }
    // Most answers only prolong leases. To count each of them costs a large cluster the square of its nodes.
    if (!isNew && receivedMs < this.#countedMs + COUNT_EVERY_MS && this.#isServed()) return;
    this.#countedMs = receivedMs;
    this.#meet(receivedMs);
    const voters = new Set(this.#nodes.keys());
    for (const lease of [...this.#slots, ...this.#roles.values()]) lease.count(voters);
    this.#want();
    this.#listener();
  }

  /** Every node that any member lists is a voter, and is asked. */
  #meet(nowMs: number): void {
    for (const [id, { askedMs }] of this.#answers) if (askedMs < nowMs - VIEW_MS) this.#answers.delete(id);
    const nodes = new Map<string, ClusterNode>();
    // The others' answers override a node's own: a node that has met no other does not report its own address.
    const listed = [...this.#answers.values()].flatMap(({ view }) =>
      view.nodes.map((node) => ({ node, by: view.self })),
    );
    const own = listed.filter(({ node, by }) => node.id === by);
    const others = listed.filter(({ node, by }) => node.id !== by);
    for (const { node } of [...own, ...others]) nodes.set(node.id, node);
    this.#nodes = nodes;
    const found = [...nodes.values()].map((node) => this.#addressOf(node)).filter((each) => each !== undefined);
    this.#addresses = new Map(found.map((address) => [address.id, address]));
    for (const id of this.#roles.keys()) if (!nodes.has(id)) this.#roles.delete(id);
    const addresses = new Map([...nodes.values()].map(({ address }) => [hostPortText(address), address]));
    for (const address of addresses.values()) this.#ask(address);
    // The names in REDIS_URL are asked until all slots have an owner: the first to answer may be in no cluster.
    const dropped = [...this.#voters].filter(([name]) => !addresses.has(name));
    if (dropped.length === 0 || !this.#isServed()) return;
    for (const [name, voter] of dropped) {
      this.#voters.delete(name);
      void voter.close();
    }
  }

  /** Where a node can be connected to. A known address is not checked again, since the check parses a URL. */
  #addressOf({ id, address }: ClusterNode): ServerAddress | undefined {
    const label = hostPortText(address);
    const known = this.#addresses.get(id);
    if (known?.label === label) return known;
    const { target } = this.#parts;
    return canDial(target, address) ? { id, url: target.urlOf(address), label } : undefined;
  }

  #want(): void {
    const elected = this.#slots.map((lease) => lease.elected);
    this.#destinations = elected.map((id, shard) => this.#answers.get(id ?? '')?.view.destinations.get(shard));
    this.#wanted = new Set([...elected, ...this.#destinations].filter((id) => id !== undefined));
  }
}

async function askNode(client: Redis, address: HostPort): Promise<ClusterView> {
  const text = await client.call('CLUSTER', 'NODES').catch((error: Error) => {
    if (!/cluster support disabled/.test(error.message)) throw error;
    throw new StoreUnavailable('Redis is no node of a cluster: for a single server REDIS_URL must begin with redis://');
  });
  const view = parseNodes(String(text), address);
  if (!view) throw new StoreUnavailable('a node of the cluster answers in an unexpected format');
  return view;
}
