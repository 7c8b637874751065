// Log lines about callers that reach a limit of the transport, counted and reported at intervals.

import type { Logger } from '../../platform/log.js';

/** One line per event would let a flood fill the log. */
const REPORT_MS = 5_000;

/** The limits, each with the text of its log line. */
const TEXTS = {
  connections: 'connections were refused: GRPC_MAX_CONNECTIONS is reached',
  perAddress: 'idle connections were closed, or new ones refused: GRPC_MAX_CONNECTIONS_PER_ADDRESS is reached',
  handshake: 'connections were closed: no TLS or HTTP/2 handshake in time',
  protocol: 'connections were closed: they violated the HTTP/2 protocol',
  tinyFrames: 'connections were closed: they sent messages in thousands of tiny DATA frames',
  lateMessage: 'calls were ended: their message was not complete within GRPC_MESSAGE_TIMEOUT',
  unreadAnswer: 'calls were ended: the client did not read the response within GRPC_MESSAGE_TIMEOUT',
  heldMost: 'connections were closed: they held most of the memory for incomplete requests and unread responses',
} as const;

export type Reason = keyof typeof TEXTS;

export class LimitLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #reportMs: number;
  readonly #counts = new Map<Reason, { count: number; address: string }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Pick<Logger, 'warn'>, reportMs = REPORT_MS) {
    this.#log = log;
    this.#reportMs = reportMs;
  }

  /** Writes a line at once for the first event of a reason, and one line for those of the next seconds. */
  count(reason: Reason, address: string): void {
    const before = this.#counts.get(reason);
    if (before) {
      before.count++;
      before.address = address;
      return;
    }
    this.#counts.set(reason, { count: 0, address });
    this.#log.warn({ count: 1, lastAddress: address }, TEXTS[reason]);
    this.#timer ??= setInterval(() => this.report(), this.#reportMs).unref();
  }

  /** Reports the events since the last line. */
  report(): void {
    for (const [reason, { count, address }] of this.#counts) {
      if (count > 0) this.#log.warn({ count, lastAddress: address }, TEXTS[reason]);
      this.#counts.delete(reason);
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
