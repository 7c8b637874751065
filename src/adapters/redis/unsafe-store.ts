// The error for a Redis that may evict entries: an evicted entry would reactivate an ended session.

import { evictionRule } from './durability-rules.js';

/**
 * The server may evict entries, or does not report whether it may. Only an operator can change that; a retry cannot.
 */
export class UnsafeStore extends Error {
  readonly code = 'UNSAFE_STORE';
  override readonly name = 'UnsafeStore';

  /** @param policy the server's `maxmemory-policy`; undefined: unreadable */
  constructor(policy: string | undefined) {
    const { message, remedy } = evictionRule(policy);
    super(`${message}. ${remedy}`);
  }
}
