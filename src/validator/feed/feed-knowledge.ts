// The state that the feed has delivered, over all nodes and streams, updated by the rules of the contract. Pure.

import { isDeepStrictEqual } from 'node:util';
import type {
  JsonWebKey,
  ShardState,
  WatchRevocationsResponse,
  Settings as WireSettings,
} from '../../../proto/gen/auth/v1/auth_service.js';
import { logWindowMs } from '../../core/feed/limits.js';
import type { TokenRules } from '../../core/token/rules.js';
import type { Moment } from '../freshness.js';
import { type Demand, decide, type Subject, type Verdict } from './decide.js';
import { FeedTime } from './feed-time.js';
import { Revocations } from './revocations.js';
import { type Ping, ShardProgress, type WireState } from './shard-progress.js';

/** The most pings that wait for their pongs. */
export const MAX_PINGS = 64;
/** The most shards that a service can have: the first byte of a hash chooses one. */
const MAX_SHARDS = 256;

/** The settings of the node that the stream is to. */
export interface FeedSettings {
  readonly rules: TokenRules;
  readonly shards: number;
}

/** The parts that tests replace with faulty ones. */
export interface KnowledgeParts {
  readonly revocations?: Revocations;
  readonly progress?: ShardProgress;
}

export class FeedKnowledge {
  readonly #revocations: Revocations;
  readonly #progress: ShardProgress;
  readonly #time = new FeedTime();
  #settings: FeedSettings | undefined;
  #keys: readonly JsonWebKey[] | undefined;
  #isCaughtUp = false;
  #isCovered = true;
  #version = 0;
  #lastPingId = 0;
  #pings: Ping[] = [];

  constructor({ revocations = new Revocations(), progress = new ShardProgress() }: KnowledgeParts = {}) {
    this.#revocations = revocations;
    this.#progress = progress;
  }

  get settings(): FeedSettings | undefined {
    return this.#settings;
  }

  /** Undefined: no stream has delivered any. */
  get keys(): readonly JsonWebKey[] | undefined {
    return this.#keys;
  }

  /** Rises with each change of settings or keys: what was verified before must be verified again. */
  get version(): number {
    return this.#version;
  }

  /** Whether all that the node knew at the start of the present stream has come. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Whether the last pong of the present stream covered all shards; true before the first. */
  get isCovered(): boolean {
    return this.#isCovered;
  }

  /** The revocations that are held. */
  get size(): number {
    return this.#revocations.size;
  }

  /** The oldest ping of this stream that waits for its pong. */
  get waiting(): Ping | undefined {
    return this.#pings[0];
  }

  /** Whether one more ping may be sent. */
  get mayPing(): boolean {
    return this.#pings.length < MAX_PINGS;
  }

  /** The sending of the oldest ping that any shard is as of; undefined: some shard is as of none. */
  get asOf(): Moment | undefined {
    return this.#settings && this.#progress.oldest(this.#settings.shards);
  }

  /** A stream was opened; the one before has ended. */
  streamBegins(): void {
    this.#isCaughtUp = false;
    this.#isCovered = true;
    this.#pings = [];
    this.#progress.streamBegins();
  }

  /** A ping is sent now. @returns its id */
  ping(now: Moment): number {
    this.#pings.push({ id: ++this.#lastPingId, sent: now });
    return this.#lastPingId;
  }

  /**
   * Takes in one message, in the order of its fields.
   * @param now when it came
   * @returns the id up to which pings have their pong; undefined: there is no pong in it
   */
  take(message: WatchRevocationsResponse, now: Moment): number | undefined {
    const { settings, keys, shards, revocations, caughtUp, pong } = message;
    if (settings) this.#takeSettings(settings);
    if (keys) this.#takeKeys(keys.keys);
    // Another shard would be held for nothing.
    const there = shards.filter(({ shard }) => shard < (this.#settings?.shards ?? 0));
    for (const state of there) this.#progress.found(readState(state));
    for (const each of revocations) if (!this.#revocations.take(each)) this.#progress.dropped(each.shard, each.atMs);
    if (caughtUp) this.#isCaughtUp = true;
    const ping = pong && this.#isCaughtUp ? this.#pinged(pong.id) : undefined;
    if (pong && ping) this.#answered(ping, pong, now);
    this.#drop(now);
    return ping?.id;
  }

  /** @returns undefined if no stream has delivered settings yet */
  decide(subject: Subject, now: Moment, demand: Demand): Verdict | undefined {
    if (!this.#settings) return undefined;
    const { rules } = this.#settings;
    const known = { revocations: this.#revocations, progress: this.#progress, time: this.#time, rules };
    return decide(subject, known, now, demand);
  }

  #takeSettings(settings: WireSettings): void {
    const shards = Math.min(settings.shards, MAX_SHARDS);
    // Another number of shards is another store.
    if (this.#settings && this.#settings.shards !== shards) {
      this.#revocations.clear();
      this.#progress.clear();
      this.#time.clear();
    }
    const rules = rulesIn(settings);
    if (!isDeepStrictEqual(rules, this.#settings?.rules) || shards !== this.#settings?.shards) this.#version++;
    this.#settings = { rules, shards };
  }

  #takeKeys(keys: readonly JsonWebKey[]): void {
    if (!isDeepStrictEqual(keys, this.#keys)) this.#version++;
    this.#keys = keys;
  }

  /** The ping with an id; it and all before it wait no longer. */
  #pinged(id: number): Ping | undefined {
    const at = this.#pings.findIndex((ping) => ping.id === id);
    return at < 0 ? undefined : this.#pings.splice(0, at + 1)[at];
  }

  #answered(ping: Ping, { storeTimeMs, uncovered }: { storeTimeMs: number; uncovered: Buffer }, now: Moment): void {
    const shards = this.#settings?.shards ?? 0;
    this.#isCovered = true;
    for (let shard = 0; shard < shards; shard++) {
      const isCovered = !isSet(uncovered, shard) && this.#progress.covered(shard, ping);
      this.#isCovered &&= isCovered;
    }
    // 0: the node could read no shard.
    const latestMs =
      storeTimeMs > 0 ? this.#time.observe(storeTimeMs, ping.sent.monotonicMs, now.monotonicMs) : undefined;
    if (latestMs !== undefined) this.#progress.clockSetBack(latestMs);
  }

  #drop({ monotonicMs }: Moment): void {
    if (!this.#settings) return;
    const beforeMs = this.#time.nowMs(monotonicMs) - logWindowMs(this.#settings.rules.accessTtlMs);
    this.#revocations.drop(beforeMs, ({ shard, atMs }) => this.#progress.dropped(shard, atMs));
  }
}

const readState = ({ shard, completeSinceMs, bornMs, adoptedSinceMs }: ShardState): WireState => ({
  ...{ shard, completeSinceMs, birth: { atMs: bornMs, adoptedSinceMs } },
});

const rulesIn = ({ issuer, audience, accessTtlSeconds, sessionMaxSeconds }: WireSettings): TokenRules => ({
  accessTtlMs: accessTtlSeconds * 1000,
  refreshTtlMs: Number.POSITIVE_INFINITY,
  sessionMaxMs: sessionMaxSeconds * 1000,
  toleranceMs: 0,
  issuer,
  audience,
  subjectClaim: 'sub',
  adopts: false,
});

/** The lowest bit of a byte comes first. */
const isSet = (bits: Buffer, at: number): boolean => (((bits[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
