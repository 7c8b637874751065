// Clocks for validators under test, moved by hand: beside the real ones, or alone.

import type { Clock } from '../../src/validator/clock.js';

export class HandClock implements Clock {
  readonly #flows: boolean;
  #monotonicMs = 0;
  #wallMs = Date.now();
  readonly #startMs = performance.now();

  /** @param flows whether it also goes with the real time; without that, no load of the machine disturbs a test */
  constructor(flows: boolean) {
    this.#flows = flows;
  }

  readonly monotonicMs = (): number => this.#monotonicMs + this.#flowedMs();
  readonly wallMs = (): number => this.#wallMs + this.#flowedMs();

  /** Both clocks advance, as if time had passed. */
  pass(ms: number): void {
    this.#monotonicMs += ms;
    this.#wallMs += ms;
  }

  /** The wall clock alone is set: or the machine was suspended, and the monotonic clock stopped. */
  step(ms: number): void {
    this.#wallMs += ms;
  }

  #flowedMs(): number {
    return this.#flows ? performance.now() - this.#startMs : 0;
  }
}
