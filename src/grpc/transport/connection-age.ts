// The time limits of a connection: for its handshake, for its age, for the time without a call, and for its last calls.

import type { TransportLimits } from './limits.js';

export class ConnectionAge {
  readonly #limits: TransportLimits;
  readonly #bornMs: number;
  /** Varied by a tenth, so that connections opened together do not end together. */
  readonly #maxAgeMs: number;
  #isReady = false;
  /** Since when it accepts no more calls. */
  #retiringSinceMs: number | undefined;

  /** @param nowMs now, and at each method: the process's monotonic clock, ms */
  constructor(limits: TransportLimits, nowMs: number) {
    this.#limits = limits;
    this.#bornMs = nowMs;
    this.#maxAgeMs = limits.maxConnectionAgeMs * (0.9 + Math.random() / 5);
  }

  /** The client's first SETTINGS frame has come. */
  ready(): void {
    this.#isReady = true;
  }

  /** The connection accepts no more calls. */
  retire(nowMs: number): void {
    this.#retiringSinceMs ??= nowMs;
  }

  /** Whether the handshake has taken too long. */
  isHandshakeLate(nowMs: number): boolean {
    return !this.#isReady && nowMs - this.#bornMs > this.#limits.handshakeTimeoutMs;
  }

  /**
   * @param idleMs how long no call has been under way; 0: one is
   * @returns `retire`: it should accept no more calls; `end`: its last calls have had their time; undefined: neither
   */
  due(nowMs: number, idleMs: number): 'retire' | 'end' | undefined {
    const { maxConnectionIdleMs, maxConnectionAgeGraceMs } = this.#limits;
    if (this.#retiringSinceMs !== undefined) {
      return nowMs - this.#retiringSinceMs < maxConnectionAgeGraceMs ? undefined : 'end';
    }
    return nowMs - this.#bornMs >= this.#maxAgeMs || idleMs >= maxConnectionIdleMs ? 'retire' : undefined;
  }
}
