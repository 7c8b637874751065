// The asking of the service: tokens of one turn in one call, callers of one token with one answer, within bounds.

import type { ValidateTokensResult } from '../../proto/gen/auth/v1/auth_service.js';
import type { Validation } from './api.js';
import { type Ask, join, type Waiter } from './ask.js';
import { Asks } from './asks.js';
import { type Clock, momentNow } from './clock.js';
import { AskFailed, type Connection } from './connection.js';
import type { Connections } from './connections.js';
import { Delivery, type DeliveryOptions, type EndedCall } from './delivery.js';
import { elapsedMs, type Moment } from './freshness.js';
import { Gathering } from './gathering.js';
import type { Claims } from './local-check.js';
import { FAULT, type Failure, TOO_FEW } from './retry.js';
import { SendWindow } from './send-window.js';
import { reasonFor, Waiting } from './waiting.js';

/** The least and the longest wait before the next look for a connection, ms. */
const [LEAST_PAUSE_MS, MOST_PAUSE_MS] = [5, 100];

export interface AskerOptions extends Pick<DeliveryOptions, 'learn' | 'renewalFailed' | 'random' | 'connections'> {
  readonly clock: Clock;
  /** How long a caller waits, ms. */
  readonly deadlineMs: number;
  readonly maxCalls: number;
  readonly maxWaiting: number;
}

/** What a caller wants. */
export interface Wanted {
  /** How old the answer may be, ms; undefined: it must come from a call that is sent after this. */
  readonly maxStalenessMs: number | undefined;
  /** How long the caller waits, monotonic ms; undefined: the whole deadline. */
  readonly untilMs?: number;
}

export class Asker {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #connections: Connections;
  readonly #deadlineMs: number;
  readonly #attemptMs: number;
  readonly #asks = new Asks();
  readonly #waiting: Waiting;
  readonly #window: SendWindow;
  readonly #delivery: Delivery;
  readonly #gathering: Gathering;
  readonly #counts = { callsUnderWay: 0, calls: 0, failedCalls: 0, asks: 0 };
  #answeredSent: Moment | undefined;
  #isFailing = false;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: AskerOptions) {
    const { clock, random, connections, deadlineMs, maxCalls, maxWaiting } = options;
    this.#clock = clock;
    this.#random = random;
    this.#connections = connections;
    this.#deadlineMs = deadlineMs;
    // Where another server can be asked, one that hangs does not use up the whole time.
    this.#attemptMs = connections.count > 1 ? deadlineMs / 2 : deadlineMs;
    this.#window = new SendWindow(maxCalls);
    this.#waiting = new Waiting({
      most: maxWaiting,
      steadyMs: clock.steadyMs,
      giveUp: (waiter, cause) => this.#delivery.reject(waiter, reasonFor(waiter, cause, deadlineMs)),
    });
    this.#gathering = new Gathering(clock.steadyMs, () => this.#schedule());
    this.#delivery = new Delivery({ ...options, asks: this.#asks, waiting: this.#waiting });
  }

  get counts() {
    return { ...this.#counts, waiting: this.#waiting.size, cannotTell: this.#delivery.cannotTell };
  }

  /** When the last call was sent whose answer had a result, if there is one; and whether later calls have failed. */
  get contact(): { readonly answeredSent: Moment | undefined; readonly isFailing: boolean } {
    return { answeredSent: this.#answeredSent, isFailing: this.#isFailing };
  }

  /** Asks about a token. @throws CannotTell */
  ask(text: string, claims: Claims | undefined, { maxStalenessMs, untilMs }: Wanted): Promise<Validation> {
    return new Promise((resolve, reject) => {
      const now = momentNow(this.#clock);
      const waiter: Waiter = {
        maxStalenessMs: maxStalenessMs ?? this.#deadlineMs,
        untilMs: untilMs ?? now.steadyMs + this.#deadlineMs,
        resolve,
        reject,
        ask: undefined,
      };
      if (this.#isClosed) return this.#delivery.reject(waiter, CLOSED);
      join(waiter, this.#youngEnough(text, maxStalenessMs, now) ?? this.#asks.toSend(text, claims));
      this.#waiting.add(waiter);
      this.#schedule();
    });
  }

  /** Asks about a token in the background, unless that is done already. @param waitMs how long it may wait for others */
  renew(text: string, claims: Claims | undefined, waitMs: number): void {
    if (this.#isClosed || this.#asks.has(text) || !this.#asks.renew(text, claims)) return;
    if (this.#asks.isUrgent) this.#schedule();
    else this.#gathering.within(waitMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#gathering.close();
    this.#asks.clear();
    for (const waiter of this.#waiting.clear()) this.#delivery.reject(waiter, CLOSED);
  }

  /** The ask under way whose answer a caller can still use; a strict caller never can. */
  #youngEnough(text: string, maxStalenessMs: number | undefined, now: Moment): Ask | undefined {
    const ask = maxStalenessMs === undefined ? undefined : this.#asks.underWay(text);
    return ask?.sent && elapsedMs(ask.sent, now) <= (maxStalenessMs ?? 0) ? ask : undefined;
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
    while (!this.#isClosed && this.#asks.size > 0 && this.#counts.callsUnderWay < this.#window.size) {
      if (!this.#sendOne()) return this.#pause();
    }
  }

  /** Sends one call. @returns false if no connection can take one now */
  #sendOne(): boolean {
    const sent = momentNow(this.#clock);
    for (const connection of this.#connections.available(sent.steadyMs)) {
      const batch = this.#asks.take(connection, sent);
      if (batch.length === 0) continue;
      void this.#send(connection, batch, sent);
      return true;
    }
    return false;
  }

  /** Looks again when a connection may be called. */
  #pause(): void {
    const fromMs = Math.max(this.#connections.availableFromMs, this.#asks.earliestMs);
    const waitMs = Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, fromMs - this.#clock.steadyMs()));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), waitMs + this.#random() * LEAST_PAUSE_MS);
  }

  async #send(connection: Connection, batch: readonly Ask[], sent: Moment): Promise<void> {
    this.#counts.callsUnderWay++;
    this.#counts.calls++;
    this.#counts.asks += batch.length;
    const outcome = await this.#call(connection, batch);
    this.#counts.callsUnderWay--;
    if (this.#isClosed) return;
    for (const ask of batch) this.#asks.ended(ask);
    const call = { connection, batch, sent, now: momentNow(this.#clock) };
    const count = 'kind' in outcome ? this.#failed(call, outcome) : this.#answered(call, outcome);
    this.#isFailing = count === 0;
    if (count > 0) {
      this.#window.succeeded();
      this.#answeredSent = sent;
    } else this.#window.failed();
    if (this.#asks.isUrgent || (this.#asks.size > 0 && !this.#gathering.isUnderWay)) this.#schedule();
  }

  async #call(connection: Connection, batch: readonly Ask[]): Promise<readonly ValidateTokensResult[] | Failure> {
    const texts = batch.map(({ text }) => text);
    try {
      const { results } = await connection.validateTokens(texts, this.#attemptMs);
      return results.length === texts.length ? results : TOO_FEW;
    } catch (error) {
      // Anything else would be a fault of this library. Its text might hold a token.
      return error instanceof AskFailed ? error.failure : FAULT;
    }
  }

  /** @returns how many tokens got a result */
  #answered(call: EndedCall, results: readonly ValidateTokensResult[]): number {
    this.#connections.answered(call.connection);
    return this.#delivery.answered(call, results);
  }

  #failed(call: EndedCall, failure: Failure): number {
    this.#counts.failedCalls++;
    this.#connections.failed(call.connection, failure, call.now.steadyMs);
    this.#delivery.failed(call, failure);
    return 0;
  }
}

const CLOSED = 'the validator is closed';
