// The feed of a node: when it reads the logs, and the streams that follow what it read.

import type { FeedReader } from '../../core/feed/feed-reader.js';
import type { Policy } from '../../core/policy.js';
import type { Keys, PublicKey } from '../../core/ports.js';
import type { Logger } from '../../platform/log.js';
import { keysPart, pongRest, revocationPart, settingsPart } from '../codec/feed-message.js';
import { type FeedSource, Watcher } from './watcher.js';

/** How often the logs are read while a client watches, ms. */
const ROUND_EVERY_MS = 25;
/** The least time between the starts of two rounds, ms. */
const ROUND_APART_MS = 5;
/** The most bytes of entries in one message. */
const MESSAGE_BYTES = 64 * 1024;
/** How many streams are served in one turn of the event loop, about 2 ms: calls must run in between. */
const STREAMS_A_TURN = 100;

export interface FeedParts {
  readonly reader: FeedReader;
  readonly keys: Pick<Keys, 'publicKeys'>;
  readonly policy: Policy;
  /** The number of shards. */
  readonly shards: number;
  /** The most streams. */
  readonly maxWatchers: number;
  readonly log: Pick<Logger, 'error'>;
  readonly observer?: FeedObserver | undefined;
}

/** Durations in ms. */
export interface FeedObserver {
  /** A round, from its start until all streams were served. */
  round(durationMs: number): void;
  /** From the acknowledgement of an end by this process until the streams were served with it. */
  delay(durationMs: number): void;
}

/** A stream as the feed sees it. */
export interface Follower {
  readonly watcher: Watcher;
  /** Sends what is new, unless a message is under way. */
  readonly send: () => void;
  /** Ends the stream, because the service stops. */
  readonly stop: () => void;
}

/** What the last round that had news sent to all. */
interface Served {
  readonly last: number;
  /** The version of the states. */
  readonly states: number;
  readonly keys: Buffer | undefined;
}

interface Encoded {
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
  readonly last: number;
}

export class Feed implements FeedSource {
  readonly settings: Buffer;
  readonly #parts: FeedParts;
  readonly #followers = new Set<Follower>();
  /** Those with a ping after which no round has begun. */
  #pinged = new Set<Follower>();
  /** What all streams have been sent, or will be by themselves. */
  #served: Served = { last: -1, states: -1, keys: undefined };
  #publicKeys: readonly PublicKey[] | undefined;
  #keys: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;
  /** When the first end was acknowledged after which no round has begun; undefined: there is none. */
  #endedMs: number | undefined;
  #beganMs = Number.NEGATIVE_INFINITY;
  #isReading = false;
  #isUrgent = false;
  #isStopped = false;
  #isFailing = false;
  /** The last encoded entries: most streams are at the same position. */
  #encoded: Encoded = { from: -1, to: -1, bytes: Buffer.alloc(0), last: 0 };

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.settings = settingsPart(parts.policy, parts.shards);
  }

  get states() {
    return this.#parts.reader.states;
  }

  get last(): number {
    return this.#parts.reader.window.last;
  }

  get keys(): Buffer {
    const publicKeys = this.#parts.keys.publicKeys();
    if (publicKeys === this.#publicKeys) return this.#keys;
    this.#publicKeys = publicKeys;
    const keys = keysPart(publicKeys);
    if (!keys.equals(this.#keys)) this.#keys = keys;
    return this.#keys;
  }

  get watchers(): number {
    return this.#followers.size;
  }

  /** @returns undefined if there are too many streams, or the service stops */
  newWatcher(): Watcher | undefined {
    return this.#isStopped || this.#followers.size >= this.#parts.maxWatchers ? undefined : new Watcher(this);
  }

  /** Returns a function that ends the following. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    this.#schedule();
    return () => {
      this.#followers.delete(follower);
      this.#pinged.delete(follower);
    };
  }

  /** A stream has a new ping. @param isUrgent whether the logs are read for it as soon as they may */
  pinged(follower: Follower, isUrgent: boolean): void {
    this.#pinged.add(follower);
    if (isUrgent) this.#hurry();
  }

  /** This process has acknowledged an end. */
  ended(): void {
    if (this.#followers.size === 0) return;
    this.#endedMs ??= performance.now();
    this.#hurry();
  }

  /** Ends all streams. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.dropAll();
  }

  /** Ends the present streams. Clients open others. */
  dropAll(): void {
    for (const follower of [...this.#followers]) follower.stop();
  }

  entriesAfter(number: number): { readonly bytes: Buffer; readonly last: number } {
    const to = this.last;
    if (this.#encoded.from === number && this.#encoded.to === to) return this.#encoded;
    const pieces: Buffer[] = [];
    let [size, last] = [0, to];
    let before = number;
    for (const [each, entry] of this.#parts.reader.window.after(number)) {
      const piece = revocationPart(entry);
      if (size + piece.length > MESSAGE_BYTES) {
        last = before;
        break;
      }
      pieces.push(piece);
      size += piece.length;
      before = each;
    }
    this.#encoded = { from: number, to, bytes: Buffer.concat(pieces), last };
    return this.#encoded;
  }

  /** Reads the logs as soon as it may. */
  #hurry(): void {
    if (this.#isUrgent || this.#followers.size === 0) return;
    this.#isUrgent = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isReading || this.#isStopped || this.#followers.size === 0) return;
    clearTimeout(this.#timer);
    const dueMs = this.#beganMs + (this.#isUrgent ? ROUND_APART_MS : ROUND_EVERY_MS);
    const waitMs = Math.ceil(dueMs - performance.now());
    // In a turn of its own, so that all pings of this turn share the round.
    if (waitMs <= 0) setImmediate(() => void this.#round());
    else this.#timer = setTimeout(() => void this.#round(), waitMs);
  }

  async #round(): Promise<void> {
    if (this.#isReading || this.#isStopped || this.#followers.size === 0) return;
    this.#isReading = true;
    this.#isUrgent = false;
    this.#beganMs = performance.now();
    try {
      await this.#readAndSend();
      this.#isFailing = false;
    } catch (err) {
      // Once: there are forty rounds a second.
      if (!this.#isFailing) this.#parts.log.error({ err }, 'the logs of ended sessions could not be read and sent');
      this.#isFailing = true;
    }
    this.#isReading = false;
    this.#schedule();
  }

  async #readAndSend(): Promise<void> {
    const { observer } = this.#parts;
    const endedMs = this.#endedMs;
    this.#endedMs = undefined;
    const pinged = this.#pinged;
    this.#pinged = new Set();
    try {
      await this.#readFor(pinged);
    } catch (error) {
      // Their pings wait for the next round.
      for (const follower of pinged) if (this.#followers.has(follower)) this.#pinged.add(follower);
      throw error;
    }
    const news: Served = { last: this.last, states: this.states.version, keys: this.keys };
    await this.#sendAll(isSame(news, this.#served) ? pinged : this.#followers);
    this.#served = news;
    const nowMs = performance.now();
    observer?.round(nowMs - this.#beganMs);
    if (endedMs !== undefined) observer?.delay(nowMs - endedMs);
  }

  /** Reads the logs, and answers the pings that are there now. */
  async #readFor(pinged: ReadonlySet<Follower>): Promise<void> {
    for (const { watcher } of pinged) watcher.roundBegins();
    const pong = { rest: pongRest(await this.#parts.reader.round()), last: this.last };
    for (const { watcher } of pinged) watcher.roundEnded(pong);
  }

  async #sendAll(followers: ReadonlySet<Follower>): Promise<void> {
    let served = 0;
    for (const follower of [...followers]) {
      if (this.#followers.has(follower)) follower.send();
      if (++served % STREAMS_A_TURN === 0) await new Promise(setImmediate);
    }
  }
}

/** Usually there is nothing new, and only pings are answered. */
const isSame = (one: Served, other: Served): boolean =>
  one.last === other.last && one.states === other.states && one.keys === other.keys;
