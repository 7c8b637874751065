// The handling of an ended call: delivers its answers to their callers, queues tokens without one again, or gives up.

import type { ValidateTokensResult } from '../../proto/gen/auth/v1/auth_service.js';
import type { InactiveToken } from './api.js';
import type { Connection } from './connection.js';
import type { Connections } from './connections.js';
import { CannotTell } from './errors.js';
import { type Answer, isGood, type Moment } from './freshness.js';
import type { PendingToken, Waiter } from './pending-token.js';
import { backOffMs, DEFAULT_RETRY_AFTER_MS, type Failure, MAX_TRIES, triesAfter } from './retry.js';
import type { TokenQueue } from './token-queue.js';
import type { Waiters } from './waiters.js';
import { type CalledActive, readResult } from './wire-answer.js';

/** Up to how much later a token is asked about again at another server, ms, so that callers do not move on together. */
const MOVE_SPREAD_MS = 20;

export interface DeliveryOptions {
  readonly queue: TokenQueue;
  readonly waiters: Waiters;
  readonly connections: Connections;
  /** 0 to 1. */
  readonly random: () => number;
  /** Takes in an answer. @returns what is known of the token now */
  readonly addAnswer: (pending: PendingToken, result: InactiveToken | CalledActive, sent: Moment) => Answer;
  /** The token was to be asked about again in the background, and was not. */
  readonly renewalFailed: (text: string) => void;
}

/** A call that has ended. */
export interface EndedCall {
  readonly connection: Connection;
  readonly batch: readonly PendingToken[];
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
    for (const [index, pending] of call.batch.entries()) {
      const result = readResult(results[index]);
      if ('kind' in result) this.#missed(pending, result, call);
      else {
        count++;
        this.#handOver(pending, this.#options.addAnswer(pending, result, call.sent), call);
      }
    }
    return count;
  }

  failed(call: EndedCall, failure: Failure): void {
    for (const pending of call.batch) this.#missed(pending, failure, call);
  }

  /** A caller is given up. */
  reject(waiter: Waiter, reason: string, retryAfterMs = DEFAULT_RETRY_AFTER_MS): void {
    const { queue, waiters } = this.#options;
    queue.leave(waiter);
    waiters.delete(waiter);
    this.#cannotTell++;
    waiter.reject(new CannotTell(reason, retryAfterMs));
  }

  /** Hands an answer to the callers for whom it is young enough now. The token is asked about again for the others. */
  #handOver(pending: PendingToken, answer: Answer, { now }: EndedCall): void {
    const { queue, waiters } = this.#options;
    const others: Waiter[] = [];
    for (const waiter of pending.waiters) {
      if (!isGood(answer, now, waiter.maxStalenessMs)) others.push(waiter);
      else {
        waiters.delete(waiter);
        waiter.resolve(answer.validation);
      }
    }
    pending.waiters = others;
    if (others.length === 0) return;
    pending.tries++;
    if (pending.tries < MAX_TRIES) queue.again(pending);
    else this.#giveUp(pending, 'the answers came later than maxStaleness allows', DEFAULT_RETRY_AFTER_MS);
  }

  #missed(pending: PendingToken, failure: Failure, { connection, now }: EndedCall): void {
    const { queue, connections, random, renewalFailed } = this.#options;
    if (pending.waiters.length === 0) return renewalFailed(pending.text);
    pending.tries++;
    pending.failure = failure;
    const waitMs = backOffMs(failure, pending.tries, random());
    const isElsewhere = connections.hasOther(connection, now.monotonicMs);
    const isMoving = connection.hasSeveralPeers && failure.kind !== 'unreachable';
    const most = triesAfter(failure, isElsewhere || isMoving);
    if (pending.tries >= most) return this.#giveUp(pending, failure.reason, waitMs);
    const afterMs = isMoving && !isElsewhere ? MOVE_SPREAD_MS * random() : waitMs;
    pending.avoid = { connection, untilMs: now.monotonicMs + afterMs };
    queue.again(pending);
    if (isElsewhere) return;
    // They would still wait when their time is over.
    for (const waiter of [...pending.waiters]) {
      if (waiter.untilMs <= now.monotonicMs + afterMs) this.reject(waiter, failure.reason, afterMs);
    }
  }

  #giveUp(pending: PendingToken, reason: string, retryAfterMs: number): void {
    for (const waiter of pending.waiters.splice(0)) this.reject(waiter, reason, retryAfterMs);
  }
}
