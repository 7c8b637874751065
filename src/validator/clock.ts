// The clocks of the process. Tests hand in their own.

import type { Moment } from './freshness.js';

export interface Clock {
  /** Monotonic, ms. */
  readonly monotonicMs: () => number;
  /** Unix ms. */
  readonly wallMs: () => number;
}

export const SYSTEM_CLOCK: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export const momentNow = ({ monotonicMs, wallMs }: Clock): Moment => ({ monotonicMs: monotonicMs(), wallMs: wallMs() });
