// A process that holds many streams of the feed, each on a connection of its own, and pings on each of them regularly.

import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import {
  AuthServiceClient,
  type WatchRevocationsRequest,
  type WatchRevocationsResponse,
} from '../../proto/gen/auth/v1/auth_service.js';
import { quantile } from '../figures.js';
import { answering } from './helper.js';

/** Opens streams. */
export interface OpenStreams {
  readonly address: string;
  readonly streams: number;
}

/** Pings on each stream, evenly spread, and reports the pongs. */
export interface PingStreams {
  readonly perS: number;
  readonly ms: number;
}

export interface StreamsReport {
  readonly pings: number;
  readonly pongs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Connections that are made at a time. */
const AT_ONCE = 50;
const TICK_MS = 5;
/** How long the last pongs are waited for. */
const DRAIN_MS = 10_000;

type Stream = ClientDuplexStream<WatchRevocationsRequest, WatchRevocationsResponse>;

class Watching {
  readonly #stream: Stream;
  #id = 0;
  #sentMs: number[] = [];
  readonly tookMs: number[] = [];

  constructor(address: string, caughtUp: () => void) {
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    this.#stream = new AuthServiceClient(address, credentials.createInsecure(), options).watchRevocations();
    this.#stream.on('data', (message: WatchRevocationsResponse) => {
      if (message.caughtUp) caughtUp();
      if (message.pong) this.#answered(message.pong.id);
    });
    this.#stream.write({ start: {}, ping: undefined });
  }

  get isWaiting(): boolean {
    return this.#sentMs.length > 0;
  }

  ping(): void {
    this.#sentMs.push(performance.now());
    this.#stream.write({ start: undefined, ping: { id: ++this.#id, urgent: false } });
  }

  /** One pong answers all pings up to its id. */
  #answered(id: number): void {
    const nowMs = performance.now();
    const waiting = this.#id - id;
    for (const sentMs of this.#sentMs.splice(0, this.#sentMs.length - waiting)) this.tookMs.push(nowMs - sentMs);
  }
}

const streams: Watching[] = [];

async function open({ address, streams: count }: OpenStreams): Promise<'open'> {
  while (streams.length < count) {
    const group = Array.from({ length: Math.min(AT_ONCE, count - streams.length) }, () => {
      return new Promise<void>((resolve) => streams.push(new Watching(address, resolve)));
    });
    await Promise.all(group);
  }
  return 'open';
}

async function ping({ perS, ms }: PingStreams): Promise<StreamsReport> {
  for (const { tookMs } of streams) tookMs.length = 0;
  const startMs = performance.now();
  let pings = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const passedMs = performance.now() - startMs;
      const due = Math.floor((Math.min(passedMs, ms) / 1000) * perS * streams.length);
      for (; pings < due; pings++) streams[pings % streams.length]?.ping();
      if (passedMs < ms) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  const untilMs = performance.now() + DRAIN_MS;
  while (streams.some(({ isWaiting }) => isWaiting) && performance.now() < untilMs) await sleep(TICK_MS);
  const took = streams.flatMap(({ tookMs }) => tookMs);
  return { pings, pongs: took.length, p50Ms: quantile(took, 0.5), p99Ms: quantile(took, 0.99) };
}

answering(
  (request: OpenStreams | PingStreams): Promise<unknown> => ('address' in request ? open(request) : ping(request)),
);
