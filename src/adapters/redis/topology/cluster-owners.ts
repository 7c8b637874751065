// Owns what the nodes of a cluster say: which of them has each shard, as far as that can be believed.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { Belief, LEASE_MS, NOTHING, type Verdict } from './belief.js';
import { clientMaker, type TlsSource } from './client.js';
import { type ClusterNode, type ClusterWord, parseNodes } from './cluster-nodes.js';
import { SHARDS } from './keys.js';
import type { Place, RedisTarget } from './url.js';
import { Witness } from './witness.js';

/** A node that says that nobody has a slot. */
const NOBODY = '-';
/** How long the answers of all nodes are waited for where one has said that it has a slot no more, ms. */
const LOOK_MS = 200;
const LOOK_STEP_MS = 10;

export interface ClusterMapParts {
  readonly target: RedisTarget;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly tls: TlsSource | undefined;
  readonly monotonicMs: () => number;
  /** Called after each word that was heard. */
  readonly heard: () => void;
}

const nameOf = ({ host, port }: Place): string => `${host} ${port}`;

export class ClusterMap {
  readonly #parts: ClusterMapParts;
  readonly #witnesses = new Map<string, Witness<ClusterWord>>();
  /** The last word of each node, by its id, and when it was asked for. */
  readonly #words = new Map<string, { readonly word: ClusterWord; readonly askedMs: number }>();
  /** A node that has lost its place to another says so itself, and then answers nobody. */
  readonly #shards = Array.from({ length: SHARDS }, () => new Belief(true));
  readonly #roles = new Map<string, Belief>();
  #verdicts: readonly Verdict[] = [];
  #nodes: ReadonlyMap<string, ClusterNode> = new Map();
  #voters: ReadonlySet<string> = new Set();
  #closed = false;

  /** Starts to ask, and does not stop until it is closed. */
  constructor(parts: ClusterMapParts) {
    this.#parts = parts;
    for (const place of parts.target.places) this.#witness(place);
  }

  /** The node that has a shard. @throws StoreUnavailable if none can be believed to */
  ownerOf(shard: number): ClusterNode {
    const { primary, fromMs, untilMs } = this.#verdicts[shard] ?? NOTHING;
    const nowMs = this.#parts.monotonicMs();
    if (primary === undefined || nowMs >= untilMs) throw new StoreUnavailable(this.#disagreement());
    if (nowMs < fromMs) throw new StoreUnavailable('the nodes of the cluster have only just named this primary');
    const node = this.#nodes.get(primary);
    if (!node) throw new StoreUnavailable('no node of the cluster has this slot');
    return node;
  }

  /** Whether a node has a shard now, and so had it when it answered. @throws StoreUnavailable if not */
  check(shard: number, id: string): void {
    if (this.ownerOf(shard).id !== id) throw new StoreUnavailable('the slot has another primary by now');
  }

  /** The node at an address. @throws StoreUnavailable if there is none */
  nodeAt({ host, port }: Place): ClusterNode {
    for (const node of this.#nodes.values()) {
      if (node.place.host === host && node.place.port === port) return node;
    }
    throw new StoreUnavailable('a slot is on its way to a node that is not known yet');
  }

  isPrimary(id: string): boolean {
    const { primary: role, fromMs, untilMs } = this.#roles.get(id)?.verdict(this.#voters) ?? NOTHING;
    const nowMs = this.#parts.monotonicMs();
    return role === 'primary' && nowMs >= fromMs && nowMs < untilMs;
  }

  /** Asks all nodes at once, and waits for a while for their answers. */
  async look(): Promise<void> {
    const { monotonicMs } = this.#parts;
    const fromMs = monotonicMs();
    for (const witness of this.#witnesses.values()) witness.nudge();
    const isNew = (id: string): boolean => (this.#words.get(id)?.askedMs ?? 0) >= fromMs;
    while (!this.#closed && monotonicMs() < fromMs + LOOK_MS && ![...this.#voters].every(isNew))
      await sleep(LOOK_STEP_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#witnesses.values()].map((witness) => witness.close()));
  }

  #witness(place: Place): void {
    const name = nameOf(place);
    if (this.#closed || this.#witnesses.has(name)) return;
    const { target, connectTimeoutMs, commandTimeoutMs, tls, monotonicMs } = this.#parts;
    const makeClient = clientMaker(target.urlOf(place), connectTimeoutMs, tls);
    const ask = (client: Redis) => askNode(client, place);
    const hear = (word: ClusterWord, askedMs: number, receivedMs: number) => this.#hear(word, askedMs, receivedMs);
    this.#witnesses.set(name, new Witness({ makeClient, ask, limitMs: commandTimeoutMs, monotonicMs, hear }));
  }

  #hear(word: ClusterWord, askedMs: number, receivedMs: number): void {
    const { self, owners, nodes } = word;
    this.#words.set(self, { word, askedMs });
    owners.forEach((owner, shard) => {
      this.#shards[shard]?.hear(self, owner ?? NOBODY, askedMs, receivedMs);
    });
    for (const { id, role } of nodes) {
      const belief = this.#roles.get(id) ?? new Belief(true);
      this.#roles.set(id, belief);
      belief.hear(self, role, askedMs, receivedMs);
    }
    this.#meet(receivedMs);
    this.#verdicts = this.#shards.map((belief) => belief.verdict(this.#voters));
    this.#parts.heard();
  }

  /** Whoever is a member by the word of some node has a voice, and is asked. */
  #meet(nowMs: number): void {
    for (const [id, { askedMs }] of this.#words) if (askedMs < nowMs - 2 * LEASE_MS) this.#words.delete(id);
    const nodes = new Map<string, ClusterNode>();
    for (const { word } of this.#words.values()) for (const node of word.nodes) nodes.set(node.id, node);
    // A node knows best where it is itself.
    for (const [id, { word }] of this.#words) {
      const own = word.nodes.find((node) => node.id === id);
      if (own && !nodes.has(id)) nodes.set(id, own);
    }
    this.#nodes = nodes;
    this.#voters = new Set(nodes.keys());
    for (const id of this.#roles.keys()) if (!nodes.has(id)) this.#roles.delete(id);
    const places = new Map([...nodes.values()].map(({ place }) => [nameOf(place), place]));
    for (const place of places.values()) this.#witness(place);
    // What REDIS_URL named is asked as long as it is all that is known, or a name of a member.
    for (const [name, witness] of this.#witnesses) {
      if (places.has(name)) continue;
      this.#witnesses.delete(name);
      void witness.close();
    }
  }

  #disagreement(): string {
    const silent = [...this.#witnesses.values()].map(({ why }) => why).filter((why) => why !== '');
    const [first] = silent;
    if (first === undefined)
      return 'the nodes of the cluster have not all said for long who has this slot, or do not agree';
    const all = Math.max(this.#voters.size, this.#witnesses.size);
    return `${all - silent.length} of ${all} nodes of the cluster answer, and more than half must agree (${first})`;
  }
}

async function askNode(client: Redis, place: Place): Promise<ClusterWord> {
  const text = await client.call('CLUSTER', 'NODES').catch((error: Error) => {
    if (!/cluster support disabled/.test(error.message)) throw error;
    throw new StoreUnavailable('Redis is no node of a cluster: REDIS_URL must name it by redis://');
  });
  const word = parseNodes(String(text), place);
  if (!word) throw new StoreUnavailable('a node of the cluster answers in another form than was expected');
  return word;
}
