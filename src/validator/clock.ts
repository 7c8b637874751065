// The clocks of the process. Tests hand in their own.

import type { Moment } from './freshness.js';

export interface Clock {
  /** Monotonic, ms. */
  readonly steadyMs: () => number;
  /** Unix ms. */
  readonly wallMs: () => number;
}

export const SYSTEM_CLOCK: Clock = { steadyMs: () => performance.now(), wallMs: () => Date.now() };

export const momentNow = ({ steadyMs, wallMs }: Clock): Moment => ({ steadyMs: steadyMs(), wallMs: wallMs() });
