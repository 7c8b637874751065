// The route of the public keys: a JSON Web Key Set (RFC 7517, section 5) that caches and verifiers may keep.

import type { JsonWebKey } from '../../proto/gen/auth/v1/auth_service.js';
import type { AuthClient } from '../auth-client.js';
import { cacheable } from '../http/cacheable.js';
import type { HttpResponse } from '../http/responses.js';
import type { CallContext } from '../service-connection.js';

/**
 * The media type is `application/json`, as OpenID providers send it, and not the registered application/jwk-set+json,
 * because some clients accept nothing else.
 * @param ifNoneMatch the header If-None-Match
 * @throws RpcError
 */
export async function keySet(
  client: AuthClient,
  ifNoneMatch: string | undefined,
  context: CallContext,
): Promise<HttpResponse> {
  const { keys, maxAgeSeconds } = await client.keySet(context);
  return cacheable({ keys: keys.map(nonEmptyMembers) }, maxAgeSeconds, ifNoneMatch);
}

/** The members that a key has. Libraries reject a key with an empty coordinate. */
const nonEmptyMembers = (key: JsonWebKey): Record<string, string> =>
  Object.fromEntries(Object.entries(key).filter(([, value]) => value !== ''));
