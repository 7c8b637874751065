// The faults of a chaos run: what is done to the store and to the nodes, for how long, and in which order.

import { elapse } from '../support/waiting.js';
import { byHand } from './by-hand.js';
import type { Cluster } from './cluster.js';
import { UNNOTICED } from './in-cluster.js';
import type { Random } from './random.js';
import type { FaultRecord, Span } from './record.js';
import type { Recorder } from './recorder.js';
import type { Fault } from './replicated.js';
import type { Sessions } from './sessions.js';
import { UNDER_WAIT } from './under-wait.js';
import { CLOCKS_STEPPED } from './watched-by-sentinels.js';

/** Between the recovery from one fault and the next, ms. */
const PAUSE_MS = [300, 1_500] as const;
/** How often two faults come at once. */
const TOGETHER = 0.2;
/** How long a recovery is awaited, ms: longer than it may take, so that a late one is measured too. */
const RECOVERY_LIMIT_MS = 15_000;
const CLOCK_STEP_MS = 60_000;
const MAY_EVICT = 'redis may evict';
/** They come alone: with MAY_EVICT a node that is started ends at once, as it must; the others start nodes themselves. */
const ALONE: readonly string[] = [MAY_EVICT, CLOCKS_STEPPED, UNDER_WAIT];

function chosenOf(kinds: Readonly<Record<string, Fault>>, only: string): Fault {
  const chosen = kinds[only];
  if (!chosen) throw new RangeError(`there is no fault "${only}" of this store: ${Object.keys(kinds).join(', ')}`);
  return chosen;
}

/** What some faults act on, as clients do. */
export interface FaultTools {
  readonly recorder: Recorder;
  readonly sessions: Sessions;
}

export class Faults {
  readonly records: FaultRecord[] = [];
  readonly losses: Span[] = [];
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #kinds: Readonly<Record<string, Fault>>;

  /**
   * @param only the one kind that happens; undefined: all of them
   * @throws RangeError if the store has no such kind
   */
  constructor(cluster: Cluster, random: Random, { recorder, sessions }: FaultTools, only?: string) {
    this.#cluster = cluster;
    this.#random = random;
    const ofNodes = {
      'node killed': () => this.#endNode('kill'),
      'node stopped under load': () => this.#endNode('stop'),
      'node paused': () => this.#pauseNode(),
    };
    const { redis, replicated } = cluster;
    const serverOf = redis ? async () => redis : replicated && ((shard: number) => replicated.primaryOf(shard));
    const toStore =
      serverOf &&
      byHand({
        ...{ random: random.fork(), serverOf, minReplicas: replicated ? 1 : 0, sessions },
        record: (call) => void recorder.calls.push(call),
        lost: (loss) => void this.losses.push(loss),
      });
    const ofRedis = {
      'node clock stepped': () => this.#stepClock(),
      'redis killed': () => this.#killRedis(),
      'redis restarted empty': () => this.#emptyRedis(),
      'redis paused': () => this.#pauseRedis(),
      'redis full': () => this.#fillRedis(),
      'redis demoted': () => this.#demoteRedis(),
      'redis slow': () => this.#slowRedis(),
      'redis cut off': () => this.#cutOff(),
      'connections cut': () => this.#cutConnections(),
      'redis wants a password': () => this.#lockRedis(),
      [MAY_EVICT]: () => this.#letEvict(),
    };
    const ofReplicated = replicated && {
      'node clock stepped': ofRedis['node clock stepped'],
      ...replicated.faults({
        random: random.fork(),
        last: (least, most) => this.#last(least, most),
        withoutNode: (index, meanwhile) => this.#withoutNode(index, meanwhile),
      }),
    };
    // The embedded store's clock is the machine's: no step of it is promised to pass unseen.
    const kinds: Record<string, Fault> = { ...ofNodes, ...(redis ? ofRedis : ofReplicated), ...toStore };
    this.#kinds = only === undefined ? kinds : { [only]: chosenOf(kinds, only) };
  }

  /**
   * Makes one fault after another: each kind once before any is repeated.
   * @param stopped ends this after the present fault
   * @param rounds how many times faults are made; in one of them two kinds may come together
   */
  async run(stopped: AbortSignal, rounds = Number.POSITIVE_INFINITY): Promise<void> {
    let deck: string[] = [];
    const deal = (): string => {
      if (deck.length === 0) deck = this.#random.shuffled(Object.keys(this.#kinds));
      return deck.pop() ?? '';
    };
    for (let round = 0; round < rounds && !stopped.aborted; round++) {
      await elapse(this.#random.between(...PAUSE_MS), 'faults are apart', stopped);
      if (stopped.aborted) return;
      const first = deal();
      const second = this.#random.chance(TOGETHER) ? deal() : undefined;
      // Two of one side would undo each other.
      const apart = second !== undefined && first.startsWith('node') !== second.startsWith('node');
      const both = apart && !ALONE.includes(first) && !ALONE.includes(second);
      if (second !== undefined && !both) deck.push(second);
      await this.#happen(both ? [first, second] : [first]);
    }
  }

  async #happen(kinds: readonly string[]): Promise<void> {
    const fromMs = performance.now();
    await Promise.all(kinds.map((kind) => this.#kinds[kind]?.()));
    const toMs = performance.now();
    const recoveredAfterMs = await this.#cluster.recovered(RECOVERY_LIMIT_MS);
    const unnoticed = kinds.every((kind) => UNNOTICED.includes(kind));
    for (const kind of kinds) this.records.push({ kind, fromMs, toMs, recoveredAfterMs, unnoticed });
  }

  #last(least: number, most: number): Promise<void> {
    return elapse(this.#random.between(least, most), 'the fault lasts');
  }

  get #someNode() {
    return this.#random.pick(this.#cluster.nodes);
  }

  /** One proxy, or both. */
  get #someProxies() {
    const { proxies } = this.#cluster;
    return this.#random.chance(0.5) ? proxies : [this.#random.pick(proxies)];
  }

  async #endNode(how: 'kill' | 'stop'): Promise<void> {
    const node = this.#someNode;
    await node[how]();
    await this.#last(0, 800);
    await node.revive();
  }

  async #pauseNode(): Promise<void> {
    const node = this.#someNode;
    node.pause();
    await this.#last(200, 3_000);
    node.resume();
  }

  async #withoutNode(index: number, meanwhile: () => Promise<void>): Promise<void> {
    const node = this.#cluster.nodes[index];
    await node?.kill();
    await meanwhile();
    await node?.revive();
  }

  async #stepClock(): Promise<void> {
    const node = this.#someNode;
    const stepMs = this.#random.chance(0.5) ? CLOCK_STEP_MS : -CLOCK_STEP_MS;
    node.setClock(stepMs);
    await this.#last(500, 2_000);
    node.setClock(this.#random.chance(0.5) ? 0 : -stepMs);
    await this.#last(500, 1_000);
    node.setClock(0);
  }

  async #killRedis(): Promise<void> {
    await this.#cluster.redis?.kill();
    await this.#last(0, 1_500);
    await this.#cluster.redis?.restart();
  }

  async #emptyRedis(): Promise<void> {
    const fromMs = performance.now();
    await this.#cluster.restartEmpty();
    this.losses.push({ fromMs, toMs: performance.now() });
  }

  async #pauseRedis(): Promise<void> {
    this.#cluster.redis?.pause();
    await this.#last(100, 2_000);
    this.#cluster.redis?.resume();
  }

  /** Over its maxmemory it takes no writes. */
  async #fillRedis(): Promise<void> {
    await this.#cluster.redis?.raw.config('SET', 'maxmemory', '1');
    await this.#last(200, 1_500);
    await this.#cluster.redis?.raw.config('SET', 'maxmemory', '0');
  }

  /** Makes it a replica of an address without a server: it keeps its data, takes no writes, and must not be trusted. */
  async #demoteRedis(): Promise<void> {
    await this.#cluster.redis?.raw.replicaof('127.0.0.1', '1');
    await this.#last(200, 1_500);
    await this.#cluster.redis?.raw.replicaof('NO', 'ONE');
  }

  /** New connections are not let in, and those that are there are cut. */
  async #lockRedis(): Promise<void> {
    const { redis, proxies } = this.#cluster;
    await redis?.raw.config('SET', 'requirepass', 'another');
    for (const proxy of proxies) proxy.cut();
    await this.#last(200, 1_500);
    await redis?.raw.config('SET', 'requirepass', '');
  }

  /** A Redis that may evict must be left, once that is noticed; it has no `maxmemory`, so that it evicts nothing. */
  async #letEvict(): Promise<void> {
    await this.#cluster.redis?.raw.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await this.#last(200, 2_500);
    await this.#cluster.redis?.raw.config('SET', 'maxmemory-policy', 'noeviction');
  }

  async #slowRedis(): Promise<void> {
    const proxies = this.#someProxies;
    // What takes longer than half a second counts as an outage.
    for (const proxy of proxies) proxy.delay(Math.round(this.#random.between(20, 300)));
    await this.#last(500, 2_500);
    for (const proxy of proxies) proxy.mend();
  }

  async #cutOff(): Promise<void> {
    const proxies = this.#someProxies;
    // It is slow before it is gone, so that more is on its way at that moment.
    for (const proxy of proxies) proxy.delay(200);
    await this.#last(150, 300);
    for (const proxy of proxies) proxy.hold();
    // Some last beyond the write bound: what was on its way arrives when no call may write any more.
    await this.#last(200, this.#random.chance(0.3) ? 6_000 : 2_000);
    for (const proxy of proxies) proxy.mend();
  }

  async #cutConnections(): Promise<void> {
    for (const proxy of this.#someProxies) proxy.cut();
  }
}
