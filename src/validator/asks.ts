// The tokens that the service is to be asked about: each once, those with callers first, taken in batches.

import { type Ask, join, newAsk, type Waiter } from './ask.js';
import type { Connection } from './connection.js';
import type { Moment } from './freshness.js';
import type { Claims } from './local-check.js';

/** The most tokens of one ValidateTokens. */
export const MAX_BATCH = 1_000;
/** The most characters of the tokens of one batch: a request has at most 1 MiB, of which some bytes frame each token. */
export const MAX_BATCH_CHARS = 1_000_000;
/** The most tokens without a caller that wait to be asked about. */
export const MAX_RENEWALS = 10_000;

export class Asks {
  /** With callers. */
  readonly #queued = new Map<string, Ask>();
  /** Without: a token in use is asked about again before its time is over. */
  readonly #renewals = new Map<string, Ask>();
  /** By text the one that was sent last. */
  readonly #underWay = new Map<string, Ask>();

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

  underWay(text: string): Ask | undefined {
    return this.#underWay.get(text);
  }

  /** The ask for a caller's token that will be sent. */
  toSend(text: string, claims: Claims | undefined): Ask {
    const queued = this.#queued.get(text);
    if (queued) return queued;
    const ask = this.#renewals.get(text) ?? newAsk(text, claims);
    this.#renewals.delete(text);
    this.#queued.set(text, ask);
    return ask;
  }

  /** @returns whether there is room */
  renew(text: string, claims: Claims | undefined): boolean {
    if (this.#renewals.size >= MAX_RENEWALS) return false;
    this.#renewals.set(text, newAsk(text, claims));
    return true;
  }

  /** Puts an ask with callers back to be sent again. If the token waits already, its callers join that ask. */
  again(ask: Ask): void {
    const other = this.#queued.get(ask.text);
    if (!other) {
      ask.sent = undefined;
      this.#renewals.delete(ask.text);
      this.#queued.set(ask.text, ask);
      return;
    }
    for (const waiter of ask.waiters) join(waiter, other);
    other.tries = Math.max(other.tries, ask.tries);
    other.failure ??= ask.failure;
    other.avoid ??= ask.avoid;
  }

  /** A caller has given up. An unsent ask without callers is dropped. */
  leave(waiter: Waiter): void {
    const { ask } = waiter;
    if (!ask) return;
    const at = ask.waiters.indexOf(waiter);
    if (at >= 0) ask.waiters.splice(at, 1);
    if (ask.waiters.length === 0 && this.#queued.get(ask.text) === ask) this.#queued.delete(ask.text);
  }

  /** Takes what may be asked at a connection now, as much as one call holds. From now on it is under way. */
  take(connection: Connection, sent: Moment): readonly Ask[] {
    const batch: Ask[] = [];
    let chars = 0;
    for (const asks of [this.#queued, this.#renewals]) {
      for (const ask of asks.values()) {
        if (ask.avoid?.connection === connection && ask.avoid.untilMs > sent.steadyMs) continue;
        if (batch.length === MAX_BATCH || chars + ask.text.length > MAX_BATCH_CHARS) return batch;
        chars += ask.text.length;
        batch.push(ask);
        asks.delete(ask.text);
        ask.sent = sent;
        this.#underWay.set(ask.text, ask);
      }
    }
    return batch;
  }

  /** The call that asked has ended. */
  ended(ask: Ask): void {
    if (this.#underWay.get(ask.text) === ask) this.#underWay.delete(ask.text);
  }

  /** When one that waits may be sent to the connection that it avoids, monotonic ms. */
  get earliestMs(): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const { avoid } of this.#queued.values()) earliestMs = Math.min(earliestMs, avoid?.untilMs ?? 0);
    return this.#renewals.size > 0 ? 0 : earliestMs;
  }

  clear(): void {
    for (const asks of [this.#queued, this.#renewals, this.#underWay]) asks.clear();
  }
}
