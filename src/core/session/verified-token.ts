// A cached access token: the value type of the verified-token cache.

import type { Token } from '../token/token.js';
import type { StoreKeys } from './store-keys.js';

/** A verified access token, and what follows from it alone. */
export interface Verified {
  readonly token: Token;
  /** The store keys that decide on it. */
  readonly storeKeys: StoreKeys;
  /** When it ends, Unix seconds. */
  readonly endsAt: number;
}
