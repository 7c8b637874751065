// The source of the event streams: one stream of WatchRevocations, shared by all clients of the gateway.

import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { WatchRevocationsRequest, WatchRevocationsResponse } from '../../proto/gen/auth/v1/auth_service.js';
import { eventsOf, uncoveredShards } from './event-data.js';
import { EventLog, eventText } from './event-log.js';
import { EventStream } from './event-stream.js';

export type Watch = ClientDuplexStream<WatchRevocationsRequest, WatchRevocationsResponse>;

/** The most clients. */
export const MAX_EVENT_STREAMS = 100;
/** How often the service is asked for a pong, which each client gets as the event `current`. */
const PING_EVERY_MS = 1_000;
/** How long after the loss of the service's stream another one is opened. */
const RETRY_MS = 1_000;
/** How long the log is kept after the last client has left: it may come back, and go on. */
const LINGER_MS = 60_000;
/** How much a log may grow beyond twice its start, bytes. */
const SPARE_BYTES = 8 * 1024 * 1024;

export class EventSource {
  readonly #watch: () => Watch;
  readonly #streams = new Set<EventStream>();
  #log = new EventLog();
  #open: Watch | undefined;
  #pingId = 0;
  #timer: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** @param watch opens a stream of the service */
  constructor(watch: () => Watch) {
    this.#watch = watch;
  }

  /** @returns a client's stream; undefined: there are too many */
  stream(lastEventId: string | undefined): EventStream | undefined {
    if (this.#isStopped || this.#streams.size >= MAX_EVENT_STREAMS) return undefined;
    clearTimeout(this.#lingering);
    const stream = new EventStream(this.#log, lastEventId);
    this.#streams.add(stream);
    stream.once('close', () => this.#left(stream));
    this.#begin();
    return stream;
  }

  /** Ends all streams. */
  stop(): void {
    this.#isStopped = true;
    for (const stream of this.#streams) stream.finish();
    this.#end();
  }

  #left(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0 || this.#isStopped) return;
    this.#lingering = setTimeout(() => this.#end(), LINGER_MS).unref();
  }

  #begin(): void {
    if (this.#open || this.#isStopped) return;
    const watch = this.#watch();
    this.#open = watch;
    this.#pingId = 0;
    watch.on('data', (message: WatchRevocationsResponse) => this.#open === watch && this.#take(message));
    // An `end` or an `error` follows; a stream that was replaced needs neither.
    watch.on('error', () => this.#lost(watch));
    watch.on('end', () => this.#lost(watch));
    watch.write({ start: {}, ping: undefined });
    this.#timer ??= setInterval(() => this.#tick(), PING_EVERY_MS).unref();
  }

  #tick(): void {
    if (this.#open && this.#log.isCaughtUp)
      this.#open.write({ start: undefined, ping: { id: ++this.#pingId, urgent: false } });
    else for (const stream of this.#streams) stream.now(undefined);
  }

  #take(message: WatchRevocationsResponse): void {
    for (const { name, data } of eventsOf(message)) this.#log.add(name, data);
    if (message.caughtUp) this.#log.caughtUp();
    for (const stream of this.#streams) stream.more();
    const { pong } = message;
    if (pong) {
      const data = { storeTimeMs: pong.storeTimeMs, uncovered: uncoveredShards(pong.uncovered) };
      for (const stream of this.#streams) stream.now(eventText('current', data));
    }
    if (this.#log.isOverfull(SPARE_BYTES)) this.#renew();
  }

  /** The next stream begins with all that matters: the log begins anew, and so does each client. */
  #lost(watch: Watch): void {
    if (this.#open !== watch) return;
    this.#open = undefined;
    this.#log = new EventLog();
    for (const stream of this.#streams) stream.reset(this.#log);
    if (this.#streams.size > 0) setTimeout(() => this.#streams.size > 0 && this.#begin(), RETRY_MS).unref();
  }

  #renew(): void {
    const watch = this.#open;
    watch?.cancel();
    this.#open = undefined;
    this.#log = new EventLog();
    for (const stream of this.#streams) stream.reset(this.#log);
    this.#begin();
  }

  #end(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#lingering);
    this.#timer = undefined;
    const watch = this.#open;
    this.#open = undefined;
    watch?.cancel();
    this.#log = new EventLog();
  }
}
