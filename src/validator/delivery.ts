// The end of a call: answers go to those who wait for them; what got none is asked about again, or given up.

import type { ValidateTokensResult } from '../../proto/gen/auth/v1/auth_service.js';
import type { InactiveToken } from './api.js';
import type { Ask, Waiter } from './ask.js';
import type { Asks } from './asks.js';
import type { Connection } from './connection.js';
import type { Connections } from './connections.js';
import { CannotTell } from './errors.js';
import { type Answer, isGood, type Moment } from './freshness.js';
import { backOffMs, DEFAULT_RETRY_AFTER_MS, type Failure, MAX_TRIES, triesAfter } from './retry.js';
import type { Waiting } from './waiting.js';
import { type CalledActive, readResult } from './wire-answer.js';

/** Up to how much later a token is asked about again at another server, ms, so that callers do not move on together. */
const MOVE_SPREAD_MS = 20;

export interface DeliveryOptions {
  readonly asks: Asks;
  readonly waiting: Waiting;
  readonly connections: Connections;
  /** 0 to 1. */
  readonly random: () => number;
  /** Takes in an answer. @returns what is known of the token now */
  readonly learn: (ask: Ask, result: InactiveToken | CalledActive, sent: Moment) => Answer;
  /** The token was to be asked about again in the background, and was not. */
  readonly renewalFailed: (text: string) => void;
}

/** A call that has ended. */
export interface EndedCall {
  readonly connection: Connection;
  readonly batch: readonly Ask[];
  readonly sent: Moment;
  /** The time now. */
  readonly now: Moment;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  #cannotTell = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** The callers that got CannotTell so far. */
  get cannotTell(): number {
    return this.#cannotTell;
  }

  /** @returns how many tokens got a result */
  answered(call: EndedCall, results: readonly ValidateTokensResult[]): number {
    let count = 0;
    for (const [index, ask] of call.batch.entries()) {
      const result = readResult(results[index]);
      if ('kind' in result) this.#missed(ask, result, call);
      else {
        count++;
        this.#handOver(ask, this.#options.learn(ask, result, call.sent), call);
      }
    }
    return count;
  }

  failed(call: EndedCall, failure: Failure): void {
    for (const ask of call.batch) this.#missed(ask, failure, call);
  }

  /** A caller is given up. */
  reject(waiter: Waiter, reason: string, retryAfterMs = DEFAULT_RETRY_AFTER_MS): void {
    const { asks, waiting } = this.#options;
    asks.leave(waiter);
    waiting.delete(waiter);
    this.#cannotTell++;
    waiter.reject(new CannotTell(reason, retryAfterMs));
  }

  /** Hands an answer to the callers for whom it is young enough now. The token is asked about again for the others. */
  #handOver(ask: Ask, answer: Answer, { now }: EndedCall): void {
    const { asks, waiting } = this.#options;
    const others: Waiter[] = [];
    for (const waiter of ask.waiters) {
      if (!isGood(answer, now, waiter.maxStalenessMs)) others.push(waiter);
      else {
        waiting.delete(waiter);
        waiter.resolve(answer.validation);
      }
    }
    ask.waiters = others;
    if (others.length === 0) return;
    ask.tries++;
    if (ask.tries < MAX_TRIES) asks.again(ask);
    else this.#giveUp(ask, 'the answers came later than maxStaleness allows', DEFAULT_RETRY_AFTER_MS);
  }

  #missed(ask: Ask, failure: Failure, { connection, now }: EndedCall): void {
    const { asks, connections, random, renewalFailed } = this.#options;
    if (ask.waiters.length === 0) return renewalFailed(ask.text);
    ask.tries++;
    ask.failure = failure;
    const waitMs = backOffMs(failure, ask.tries, random());
    const isElsewhere = connections.hasOther(connection, now.steadyMs);
    const isMoving = connection.hasSeveralPeers && failure.kind !== 'unreachable';
    const most = triesAfter(failure, isElsewhere || isMoving);
    if (ask.tries >= most) return this.#giveUp(ask, failure.reason, waitMs);
    const afterMs = isMoving && !isElsewhere ? MOVE_SPREAD_MS * random() : waitMs;
    ask.avoid = { connection, untilMs: now.steadyMs + afterMs };
    asks.again(ask);
    if (isElsewhere) return;
    // They would still wait when their time is over.
    for (const waiter of [...ask.waiters]) {
      if (waiter.untilMs <= now.steadyMs + afterMs) this.reject(waiter, failure.reason, afterMs);
    }
  }

  #giveUp(ask: Ask, reason: string, retryAfterMs: number): void {
    for (const waiter of ask.waiters.splice(0)) this.reject(waiter, reason, retryAfterMs);
  }
}
