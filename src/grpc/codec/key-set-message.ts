// The translation of the core's key set to its message in the contract.

import type { GetJsonWebKeySetResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import type { KeySet } from '../../core/use-cases/key-set.js';

/** Member by member, so that a member that is not named here never leaves the process. */
export const keySetMessage = ({ keys, maxAgeS }: KeySet): GetJsonWebKeySetResponse => ({
  keys: keys.map(({ kty, use, alg, kid, crv = '', x = '', y = '', n = '', e = '' }) => ({
    ...{ kty, use, alg, kid, crv, x, y, n, e },
  })),
  maxAgeSeconds: maxAgeS,
});
