// Owns what others are told of our keys: the public halves, and for how long they may rely on them.

import type { Context } from './context.js';
import { keySetMaxAgeS } from './key-schedule.js';
import type { PublicKey } from './ports.js';

export interface KeySet {
  /** Every key whose access tokens others can verify; none under HS256. */
  readonly keys: readonly PublicKey[];
  /** Seconds. */
  readonly maxAgeS: number;
}

/** Asks no store: verifiers elsewhere go on while it is away. */
export const keySet = ({ keys }: Pick<Context, 'keys'>): KeySet => ({
  keys: keys.publicKeys(),
  maxAgeS: keySetMaxAgeS(keys.delayMs),
});
