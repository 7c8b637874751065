// The public key set (RFC 7517), and how long it may be cached.

import type { Context } from '../context.js';
import { keySetMaxAgeS } from '../key-schedule.js';
import type { PublicKey } from '../ports.js';

export interface KeySet {
  /** Every key with which others can verify access tokens; none under HS256. */
  readonly keys: readonly PublicKey[];
  /** Seconds. */
  readonly maxAgeS: number;
}

/** Needs no store, so that other verifiers keep working during an outage. */
export const keySet = ({ keys }: Pick<Context, 'keys'>): KeySet => ({
  keys: keys.publicKeys(),
  maxAgeS: keySetMaxAgeS(keys.delayMs),
});
