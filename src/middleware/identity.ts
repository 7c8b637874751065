// The identity of a guarded HTTP request.

import type { ActiveToken } from '../validator/api.js';

/**
 * The identity of a guarded request.
 * @throws Error if no guard has let the request through: then nothing is known about its token
 */
export function authOf(request: object): ActiveToken {
  const { auth } = request as { readonly auth?: ActiveToken | null };
  if (auth) return auth;
  throw new Error('this request has passed no guard of latchkey/validator; guard its route');
}
