// The tokens that wait to be sent to the service: each once, those with callers first, taken in batches.

import type { Connection } from './connection.js';
import type { Moment } from './freshness.js';
import type { Claims } from './local-check.js';
import { join, newPendingToken, type PendingToken, type Waiter } from './pending-token.js';

/** The most tokens of one ValidateTokens. */
export const MAX_BATCH = 1_000;
/**
 * The most characters of the tokens of one batch: a request has at most 1 MiB, of which some bytes frame each token.
 */
export const MAX_BATCH_CHARS = 1_000_000;
/** The most tokens without a caller that wait to be asked about. */
export const MAX_RENEWALS = 10_000;

export class TokenQueue {
  /** With callers. */
  readonly #queued = new Map<string, PendingToken>();
  /** Without: a token in use is asked about again before its time is over. */
  readonly #renewals = new Map<string, PendingToken>();
  /** By text the one that was sent last. */
  readonly #underWay = new Map<string, PendingToken>();

  /** Those that wait to be sent. */
  get size(): number {
    return this.#queued.size + this.#renewals.size;
  }

  /** Whether what waits should be sent now: a caller waits, or the renewals fill a call. */
  get isUrgent(): boolean {
    return this.#queued.size > 0 || this.#renewals.size >= MAX_BATCH;
  }

  /** Whether the token waits to be asked about, or is being asked about. */
  has(text: string): boolean {
    return this.#queued.has(text) || this.#renewals.has(text) || this.#underWay.has(text);
  }

  underWay(text: string): PendingToken | undefined {
    return this.#underWay.get(text);
  }

  /** A caller's token, queued to be sent. */
  toSend(text: string, claims: Claims | undefined): PendingToken {
    const queued = this.#queued.get(text);
    if (queued) return queued;
    const pending = this.#renewals.get(text) ?? newPendingToken(text, claims);
    this.#renewals.delete(text);
    this.#queued.set(text, pending);
    return pending;
  }

  /** @returns whether there is room */
  renew(text: string, claims: Claims | undefined): boolean {
    if (this.#renewals.size >= MAX_RENEWALS) return false;
    this.#renewals.set(text, newPendingToken(text, claims));
    return true;
  }

  /** Queues a token with callers again. If the token is queued already, its callers join that entry. */
  again(pending: PendingToken): void {
    const other = this.#queued.get(pending.text);
    if (!other) {
      pending.sent = undefined;
      this.#renewals.delete(pending.text);
      this.#queued.set(pending.text, pending);
      return;
    }
    for (const waiter of pending.waiters) join(waiter, other);
    other.tries = Math.max(other.tries, pending.tries);
    other.failure ??= pending.failure;
    other.avoid ??= pending.avoid;
  }

  /** A caller has given up. A token that was not sent and has no callers is dropped. */
  leave(waiter: Waiter): void {
    const { pending } = waiter;
    if (!pending) return;
    const at = pending.waiters.indexOf(waiter);
    if (at >= 0) pending.waiters.splice(at, 1);
    if (pending.waiters.length === 0 && this.#queued.get(pending.text) === pending) this.#queued.delete(pending.text);
  }

  /** Takes what may be asked at a connection now, as much as one call holds. From now on it is under way. */
  take(connection: Connection, sent: Moment): readonly PendingToken[] {
    const batch: PendingToken[] = [];
    let chars = 0;
    for (const list of [this.#queued, this.#renewals]) {
      for (const pending of list.values()) {
        if (pending.avoid?.connection === connection && pending.avoid.untilMs > sent.monotonicMs) continue;
        if (batch.length === MAX_BATCH || chars + pending.text.length > MAX_BATCH_CHARS) return batch;
        chars += pending.text.length;
        batch.push(pending);
        list.delete(pending.text);
        pending.sent = sent;
        this.#underWay.set(pending.text, pending);
      }
    }
    return batch;
  }

  /** The call that asked has ended. */
  ended(pending: PendingToken): void {
    if (this.#underWay.get(pending.text) === pending) this.#underWay.delete(pending.text);
  }

  /** When one that waits may be sent to the connection that it avoids, monotonic ms. */
  get earliestMs(): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const { avoid } of this.#queued.values()) earliestMs = Math.min(earliestMs, avoid?.untilMs ?? 0);
    return this.#renewals.size > 0 ? 0 : earliestMs;
  }

  clear(): void {
    for (const list of [this.#queued, this.#renewals, this.#underWay]) list.clear();
  }
}
