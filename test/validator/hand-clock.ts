// Clocks for validators under test: the real ones, moved by hand.

import type { Clock } from '../../src/validator/clock.js';

export class HandClock implements Clock {
  #steadyMs = 0;
  #wallMs = 0;

  readonly steadyMs = (): number => performance.now() + this.#steadyMs;
  readonly wallMs = (): number => Date.now() + this.#wallMs;

  /** Both clocks advance, as if time had passed. */
  pass(ms: number): void {
    this.#steadyMs += ms;
    this.#wallMs += ms;
  }

  /** The wall clock alone is set: or the machine was suspended, and the monotonic clock stood still. */
  step(ms: number): void {
    this.#wallMs += ms;
  }
}
