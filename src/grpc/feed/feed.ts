// The feed of a node: when it reads the logs, and the streams that follow what it read.

import type { Logger } from '../../platform/log.js';
import { pongRest } from '../codec/feed-message.js';
import { FeedContent, type FeedContentParts } from './feed-content.js';
import { RoundTimer } from './round-timer.js';
import { Watcher } from './watcher.js';

/** How many streams are served in one turn of the event loop, about 2 ms: calls must run in between. */
const STREAMS_A_TURN = 100;

export interface FeedParts extends FeedContentParts {
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

export class Feed {
  readonly #parts: FeedParts;
  readonly #content: FeedContent;
  readonly #timer: RoundTimer;
  readonly #followers = new Set<Follower>();
  /** Those with a ping after which no round has begun. */
  #pinged = new Set<Follower>();
  /** What all streams have been sent, or will be by themselves. */
  #served: Served = { last: -1, states: -1, keys: undefined };
  /** When the first end was acknowledged after which no round has begun; undefined: there is none. */
  #endedMs: number | undefined;
  #isStopped = false;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#content = new FeedContent(parts);
    this.#timer = new RoundTimer({
      round: (beganMs) => this.#readAndSend(beganMs),
      isNeeded: () => this.#followers.size > 0,
      log: parts.log,
    });
  }

  get watchers(): number {
    return this.#followers.size;
  }

  /** @returns undefined if there are too many streams, or the service stops */
  newWatcher(): Watcher | undefined {
    return this.#isStopped || this.#followers.size >= this.#parts.maxWatchers ? undefined : new Watcher(this.#content);
  }

  /** Returns a function that ends the following. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    this.#timer.schedule();
    return () => {
      this.#followers.delete(follower);
      this.#pinged.delete(follower);
    };
  }

  /** A stream has a new ping. @param isUrgent whether the logs are read for it as soon as they may */
  pinged(follower: Follower, isUrgent: boolean): void {
    this.#pinged.add(follower);
    if (isUrgent) this.#timer.hurry();
  }

  /** This process has acknowledged an end. */
  ended(): void {
    if (this.#followers.size === 0) return;
    this.#endedMs ??= performance.now();
    this.#timer.hurry();
  }

  /** Ends all streams. */
  stop(): void {
    this.#isStopped = true;
    this.#timer.stop();
    this.dropAll();
  }

  /** Ends the present streams. Clients open others. */
  dropAll(): void {
    for (const follower of [...this.#followers]) follower.stop();
  }

  async #readAndSend(beganMs: number): Promise<void> {
    const { observer } = this.#parts;
    const endedMs = this.#endedMs;
    this.#endedMs = undefined;
    const pinged = this.#pinged;
    this.#pinged = new Set();
    try {
      await this.#readFor(pinged);
      await this.#sendNews(pinged);
    } catch (error) {
      // Their pings wait for the next round.
      for (const follower of pinged) if (this.#followers.has(follower)) this.#pinged.add(follower);
      throw error;
    }
    const nowMs = performance.now();
    observer?.round(nowMs - beganMs);
    if (endedMs !== undefined) observer?.delay(nowMs - endedMs);
  }

  /** Reads the logs, and answers the pings that are there now. */
  async #readFor(pinged: ReadonlySet<Follower>): Promise<void> {
    for (const { watcher } of pinged) watcher.roundBegins();
    const pong = { rest: pongRest(await this.#parts.reader.round()), last: this.#content.last };
    for (const { watcher } of pinged) watcher.roundEnded(pong);
  }

  /** Sends to all streams if there is news, else only to those with a ping. */
  async #sendNews(pinged: ReadonlySet<Follower>): Promise<void> {
    const { last, states, keys } = this.#content;
    const news: Served = { last, states: states.version, keys };
    await this.#sendAll(isSame(news, this.#served) ? pinged : this.#followers);
    this.#served = news;
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
