// Log lines about callers that reach a limit of the transport: counted, and told once in a while.

import type { Logger } from '../../log.js';

/** A line for each would be an attack of its own. */
const REPORT_MS = 5_000;

/** What callers run into, each with the words of its log line. */
const WORDS = {
  connections: 'connections were refused: GRPC_MAX_CONNECTIONS is reached',
  perAddress: 'idle connections were closed, or new ones refused: GRPC_MAX_CONNECTIONS_PER_ADDRESS is reached',
  handshake: 'connections were closed: no TLS or HTTP/2 handshake in time',
  protocol: 'connections were closed: they broke the HTTP/2 protocol',
  tinyFrames: 'connections were closed: they sent messages in thousands of tiny DATA frames',
  lateMessage: 'calls were ended: their message was not complete within GRPC_MESSAGE_TIMEOUT',
  unreadAnswer: 'calls were ended: their answer was not taken within GRPC_MESSAGE_TIMEOUT',
  heldMost: 'connections were closed: they held most of the memory for unfinished requests and unread answers',
} as const;

export type Reason = keyof typeof WORDS;

export class Refusals {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #reportMs: number;
  readonly #counts = new Map<Reason, { count: number; address: string }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Pick<Logger, 'warn'>, reportMs = REPORT_MS) {
    this.#log = log;
    this.#reportMs = reportMs;
  }

  /** The first of a reason has its line at once, those of the next seconds one together. */
  count(reason: Reason, address: string): void {
    const before = this.#counts.get(reason);
    if (before) {
      before.count++;
      before.address = address;
      return;
    }
    this.#counts.set(reason, { count: 0, address });
    this.#log.warn({ count: 1, lastAddress: address }, WORDS[reason]);
    this.#timer ??= setInterval(() => this.report(), this.#reportMs).unref();
  }

  /** Writes what was counted since the last line. */
  report(): void {
    for (const [reason, { count, address }] of this.#counts) {
      if (count > 0) this.#log.warn({ count, lastAddress: address }, WORDS[reason]);
      this.#counts.delete(reason);
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
