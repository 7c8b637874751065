// The calls of ValidateTokens: the tokens of one turn in one call, the callers of one token with one answer, in bounds.

import type { ValidateTokensResult } from '../../proto/gen/auth/v1/auth_service.js';
import type { Validation } from './api.js';
import { type Clock, momentNow } from './clock.js';
import { type Connection, ServiceCallFailed } from './connection.js';
import type { Connections } from './connections.js';
import { Delivery, type DeliveryOptions, type EndedCall } from './delivery.js';
import { elapsedMs, type Moment } from './freshness.js';
import type { Claims } from './local-check.js';
import { join, type PendingToken, type Waiter, type Wanted } from './pending-token.js';
import { RenewalTimer } from './renewal-timer.js';
import { FAULT, type Failure, TOO_FEW } from './retry.js';
import { SendWindow } from './send-window.js';
import { TokenQueue } from './token-queue.js';
import { reasonFor, Waiters } from './waiters.js';

/** The least and the longest wait before the next look for a connection, ms. */
const [LEAST_PAUSE_MS, MOST_PAUSE_MS] = [5, 100];

export interface BatcherOptions
  extends Pick<DeliveryOptions, 'addAnswer' | 'renewalFailed' | 'random' | 'connections'> {
  readonly clock: Clock;
  /** How long a caller waits, ms. */
  readonly deadlineMs: number;
  readonly maxCalls: number;
  readonly maxWaiting: number;
}

export class Batcher {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #connections: Connections;
  readonly #deadlineMs: number;
  readonly #attemptMs: number;
  readonly #queue = new TokenQueue();
  readonly #waiters: Waiters;
  readonly #window: SendWindow;
  readonly #delivery: Delivery;
  readonly #gathering: RenewalTimer;
  readonly #counts = { callsUnderWay: 0, calls: 0, failedCalls: 0, asks: 0 };
  #answeredSent: Moment | undefined;
  #isFailing = false;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: BatcherOptions) {
    const { clock, random, connections, deadlineMs, maxCalls, maxWaiting } = options;
    this.#clock = clock;
    this.#random = random;
    this.#connections = connections;
    this.#deadlineMs = deadlineMs;
    // Where another server can be asked, one that hangs does not use up the whole time.
    this.#attemptMs = connections.count > 1 ? deadlineMs / 2 : deadlineMs;
    this.#window = new SendWindow(maxCalls);
    this.#waiters = new Waiters({
      most: maxWaiting,
      monotonicMs: clock.monotonicMs,
      giveUp: (waiter, cause) => this.#delivery.reject(waiter, reasonFor(waiter, cause, deadlineMs)),
    });
    this.#gathering = new RenewalTimer(clock.monotonicMs, () => this.#schedule());
    this.#delivery = new Delivery({ ...options, queue: this.#queue, waiters: this.#waiters });
  }

  get counts() {
    return { ...this.#counts, waiting: this.#waiters.size, cannotTell: this.#delivery.cannotTell };
  }

  /** When the last call was sent whose answer had a result, if there is one; and whether later calls have failed. */
  get contact(): { readonly answeredSent: Moment | undefined; readonly isFailing: boolean } {
    return { answeredSent: this.#answeredSent, isFailing: this.#isFailing };
  }

  /** Asks about a token. @throws CannotTell */
  request(text: string, claims: Claims | undefined, { maxStalenessMs, untilMs }: Wanted): Promise<Validation> {
    return new Promise((resolve, reject) => {
      const now = momentNow(this.#clock);
      const waiter: Waiter = {
        maxStalenessMs: maxStalenessMs ?? this.#deadlineMs,
        untilMs: untilMs ?? now.monotonicMs + this.#deadlineMs,
        resolve,
        reject,
        pending: undefined,
      };
      if (this.#isClosed) return this.#delivery.reject(waiter, CLOSED);
      join(waiter, this.#youngEnough(text, maxStalenessMs, now) ?? this.#queue.toSend(text, claims));
      this.#waiters.add(waiter);
      this.#schedule();
    });
  }

  /**
   * Asks about a token in the background, unless that is done already. @param waitMs how long it may wait for others
   */
  renew(text: string, claims: Claims | undefined, waitMs: number): void {
    if (this.#isClosed || this.#queue.has(text) || !this.#queue.renew(text, claims)) return;
    if (this.#queue.isUrgent) this.#schedule();
    else this.#gathering.within(waitMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#gathering.close();
    this.#queue.clear();
    for (const waiter of this.#waiters.clear()) this.#delivery.reject(waiter, CLOSED);
  }

  /** The token under way whose answer a caller can still use; a strict caller never can. */
  #youngEnough(text: string, maxStalenessMs: number | undefined, now: Moment): PendingToken | undefined {
    const pending = maxStalenessMs === undefined ? undefined : this.#queue.underWay(text);
    return pending?.sent && elapsedMs(pending.sent, now) <= (maxStalenessMs ?? 0) ? pending : undefined;
  }

  /** Sends what waits, at the end of this turn. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#isClosed && this.#queue.size > 0 && this.#counts.callsUnderWay < this.#window.size) {
      if (!this.#sendOne()) return this.#pause();
    }
  }

  /** Sends one call. @returns false if no connection can take one now */
  #sendOne(): boolean {
    const sent = momentNow(this.#clock);
    for (const connection of this.#connections.available(sent.monotonicMs)) {
      const batch = this.#queue.take(connection, sent);
      if (batch.length === 0) continue;
      void this.#send(connection, batch, sent);
      return true;
    }
    return false;
  }

  /** Looks again when a connection may be called. */
  #pause(): void {
    const fromMs = Math.max(this.#connections.availableFromMs, this.#queue.earliestMs);
    const waitMs = Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, fromMs - this.#clock.monotonicMs()));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), waitMs + this.#random() * LEAST_PAUSE_MS);
  }

  async #send(connection: Connection, batch: readonly PendingToken[], sent: Moment): Promise<void> {
    this.#counts.callsUnderWay++;
    this.#counts.calls++;
    this.#counts.asks += batch.length;
    const outcome = await this.#call(connection, batch);
    this.#counts.callsUnderWay--;
    if (this.#isClosed) return;
    for (const pending of batch) this.#queue.ended(pending);
    const call = { connection, batch, sent, now: momentNow(this.#clock) };
    const count = 'kind' in outcome ? this.#failed(call, outcome) : this.#answered(call, outcome);
    this.#isFailing = count === 0;
    if (count > 0) {
      this.#window.succeeded();
      this.#answeredSent = sent;
    } else this.#window.failed();
    if (this.#queue.isUrgent || (this.#queue.size > 0 && !this.#gathering.isUnderWay)) this.#schedule();
  }

  async #call(
    connection: Connection,
    batch: readonly PendingToken[],
  ): Promise<readonly ValidateTokensResult[] | Failure> {
    const texts = batch.map(({ text }) => text);
    try {
      const { results } = await connection.validateTokens(texts, this.#attemptMs);
      return results.length === texts.length ? results : TOO_FEW;
    } catch (error) {
      // Anything else would be a fault of this library. Its text might hold a token.
      return error instanceof ServiceCallFailed ? error.failure : FAULT;
    }
  }

  /** @returns how many tokens got a result */
  #answered(call: EndedCall, results: readonly ValidateTokensResult[]): number {
    this.#connections.answered(call.connection);
    return this.#delivery.answered(call, results);
  }

  #failed(call: EndedCall, failure: Failure): number {
    this.#counts.failedCalls++;
    this.#connections.failed(call.connection, failure, call.now.monotonicMs);
    this.#delivery.failed(call, failure);
    return 0;
  }
}

const CLOSED = 'the validator is closed';
