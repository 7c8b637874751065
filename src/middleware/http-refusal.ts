// The table from a refused request to its HTTP response, the same for fastify and express.

import {
  cannotTell,
  inactiveToken,
  invalidCredentials,
  missingClaim,
  missingCredentials,
  type Refusal,
} from '../bearer/refusals.js';
import type { Refused } from './guard.js';

/** The response to a request that is not let through. */
export function refusalOf(refused: Refused): Refusal {
  switch (refused.kind) {
    case 'missing':
      return missingCredentials;
    case 'invalid':
      return invalidCredentials;
    case 'inactive':
      return inactiveToken(refused.problem);
    case 'incomplete':
      return missingClaim(`Token has no claim "${refused.claim}"`);
    case 'unknown':
      return cannotTell(Math.max(1, Math.ceil(refused.error.retryAfterMs / 1000)));
  }
}
