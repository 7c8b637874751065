// A cached access token: the value type of the verified-token cache.

import type { Place } from './place.js';
import type { Token } from './token.js';

/** A verified access token, and what follows from it alone. */
export interface Verified {
  readonly token: Token;
  /** The store keys that decide on it. */
  readonly place: Place;
  /** When it ends, Unix seconds. */
  readonly endsAt: number;
}
