// Owns the form of what is remembered of an access token.

import type { Place } from './place.js';
import type { Token } from './token.js';

/** An access token that was found authentic, and what follows from it alone. */
export interface Verified {
  readonly token: Token;
  /** Where the store has what decides on it. */
  readonly place: Place;
  /** When it ends, Unix seconds. */
  readonly endsAt: number;
}
