// Owns the refusal of a Redis that may forget what it was told: a denylist that evicts brings the dead back.

import { judgePolicy } from './judgement.js';

/** The server may evict entries, or does not let us see whether it may. Waiting does not help: it must be set right. */
export class UnsafeStore extends Error {
  readonly code = 'UNSAFE_STORE';
  override readonly name = 'UnsafeStore';

  /** @param policy the server's `maxmemory-policy`; undefined: it could not be read */
  constructor(policy: string | undefined) {
    const { says, mend } = judgePolicy(policy);
    super(`${says}. ${mend}`);
  }
}
