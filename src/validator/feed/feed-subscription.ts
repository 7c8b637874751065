// The subscription to the feed: one stream at a time, pinged regularly, replaced when it ends or is no longer good.
// `stream-health.ts` says when that is.

import type { WatchRevocationsResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import { type Clock, momentNow } from '../clock.js';
import type { Connection } from '../connection.js';
import type { Connections } from '../connections.js';
import { backOffMs, type Failure } from '../retry.js';
import type { FeedKnowledge } from './feed-knowledge.js';
import { FeedStream } from './feed-stream.js';
import { faultOf, UNCOVERED } from './stream-health.js';

/** The share of the allowed age after which the next regular ping is sent. */
const PING_SHARE = 1 / 8;
const PING_MS = { least: 25, most: 1_000 } as const;
/**
 * How long a service without a feed for this process is not tried again, ms: it has too many streams, or none at all.
 */
const CROWDED_PAUSE_MS = 5_000;
const OFF_PAUSE_MS = 60_000;

/** Its node reads the store and answers pings, but too late for a caller. */
const LATE = 'the feed has sent nothing that is young enough';

export interface SubscriptionOptions {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly connections: Connections;
  readonly knowledge: FeedKnowledge;
  /** How old the knowledge may become, ms. */
  readonly maxStalenessMs: number;
  /** A stream was opened. */
  readonly began: () => void;
  /** A message was taken in. @param pongId the id up to which pings have their pong */
  readonly received: (pongId: number | undefined) => void;
}

/** `off`: the service has no feed that this process could use. */
export type SubscriptionPhase = 'starting' | 'following' | 'behind' | 'off' | 'closed';

export class FeedSubscription {
  readonly #options: SubscriptionOptions;
  readonly #pingEveryMs: number;
  #stream: FeedStream | undefined;
  #connection: Connection | undefined;
  #phase: SubscriptionPhase = 'starting';
  /** Streams that ended in a row without a pong. */
  #failures = 0;
  #caughtUpMs = 0;
  #openedMs = 0;
  /** How often in a row a stream was replaced because its node did not read all shards. */
  #moves = 0;
  #streams = 0;
  #pings = 0;
  #timer: NodeJS.Timeout | undefined;
  #pinger: NodeJS.Timeout | undefined;
  #failure = 'the service has sent no revocations yet';

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#pingEveryMs = Math.min(PING_MS.most, Math.max(PING_MS.least, options.maxStalenessMs * PING_SHARE));
  }

  get phase(): SubscriptionPhase {
    return this.#phase;
  }

  /** Why there is no stream, or why it does not suffice, for people. */
  get failure(): string {
    if (this.#phase !== 'following') return this.#failure;
    return this.#options.knowledge.isCovered ? LATE : UNCOVERED.reason;
  }

  /** Streams that were opened, and pings that were sent. */
  get counts(): { readonly streams: number; readonly pings: number } {
    return { streams: this.#streams, pings: this.#pings };
  }

  open(): void {
    if (this.#phase === 'closed') return;
    const { connections, knowledge, clock, began } = this.#options;
    const nowMs = clock.monotonicMs();
    const available = connections.available(nowMs);
    // Another one than the last, if there is another.
    const connection = available.find((each) => each !== this.#connection) ?? available[0];
    if (!connection) return this.#openAfter(Math.max(PING_MS.least, connections.availableFromMs - nowMs));
    this.#connection = connection;
    this.#caughtUpMs = nowMs;
    this.#openedMs = nowMs;
    this.#streams++;
    knowledge.streamBegins();
    const stream = new FeedStream(connection, {
      message: (message) => this.#take(stream, message),
      ended: (failure, isOffered) => this.#lost(stream, failure, isOffered),
    });
    this.#stream = stream;
    this.ping(true);
    began();
    this.#pingLater();
  }

  /** @returns the id of the ping; undefined: there is no stream, or too many pings wait */
  ping(isUrgent: boolean): number | undefined {
    const { knowledge, clock } = this.#options;
    if (!this.#stream || !knowledge.mayPing) return undefined;
    const id = knowledge.ping(momentNow(clock));
    this.#pings++;
    this.#stream.ping(id, isUrgent);
    return id;
  }

  close(): void {
    this.#phase = 'closed';
    this.#failure = 'the validator is closed';
    this.#end();
  }

  #take(stream: FeedStream, message: WatchRevocationsResponse): void {
    if (stream !== this.#stream) return;
    const { clock, knowledge, received } = this.#options;
    const now = momentNow(clock);
    if (!knowledge.isCaughtUp) this.#caughtUpMs = now.monotonicMs;
    const pongId = knowledge.take(message, now);
    // Under HS256 the key is a secret: every token must be asked about.
    if (knowledge.keys?.length === 0) return this.#turnOff('the service has no public key, so its feed is of no use');
    if (pongId !== undefined) {
      this.#failures = 0;
      this.#phase = 'following';
      if (knowledge.isCovered) this.#moves = 0;
    }
    received(pongId);
  }

  #lost(stream: FeedStream, failure: Failure, isOffered = true): void {
    if (stream !== this.#stream) return;
    const { random, connections } = this.#options;
    this.#failure = failure.reason;
    if (this.#phase === 'following') this.#phase = 'behind';
    this.#end();
    this.#failures++;
    if (this.#failures < connections.count) return this.#openAfter(0);
    const spread = 0.75 + random() / 2;
    if (!isOffered) return this.#turnOff(failure.reason);
    if (failure.kind === 'overloaded') return this.#openAfter(CROWDED_PAUSE_MS * spread);
    // The first stream that ends is replaced at once: its server may have reached the age of its connections.
    this.#openAfter(this.#failures === 1 ? 0 : backOffMs(failure, this.#failures - 1, random()));
  }

  #turnOff(reason: string): void {
    this.#end();
    this.#phase = 'off';
    this.#failure = reason;
    this.#openAfter(OFF_PAUSE_MS * (0.75 + this.#options.random() / 2));
    this.#options.received(undefined);
  }

  #end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#pinger);
    this.#stream?.close();
    this.#stream = undefined;
  }

  #openAfter(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), waitMs).unref();
  }

  #pingLater(): void {
    const waitMs = this.#pingEveryMs * (0.9 + 0.2 * this.#options.random());
    clearTimeout(this.#pinger);
    // One turn later, so that a pong that has arrived is handled first.
    this.#pinger = setTimeout(() => setImmediate(() => this.#pingAgain()), waitMs).unref();
  }

  #pingAgain(): void {
    const stream = this.#stream;
    if (!stream) return;
    const fault = this.#fault();
    if (fault === UNCOVERED) this.#moves++;
    if (fault) return this.#lost(stream, fault);
    this.ping(false);
    this.#pingLater();
  }

  #fault(): Failure | undefined {
    const { clock, knowledge, connections } = this.#options;
    const times = { openedMs: this.#openedMs, caughtUpMs: this.#caughtUpMs };
    const stream = { ...times, isElsewhere: connections.count > 1, moves: this.#moves };
    return faultOf(knowledge, stream, clock.monotonicMs());
  }
}
