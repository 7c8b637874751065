// The route of the public keys: a JSON Web Key Set (RFC 7517, section 5) that caches and verifiers may keep.

import { createHash } from 'node:crypto';
import type { JsonWebKey } from '../../proto/gen/auth/v1/auth_service.js';
import type { AuthClient, CallContext } from '../auth-client.js';
import type { HttpResponse } from '../http/responses.js';

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
  const body = { keys: keys.map(nonEmptyMembers) };
  const etag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url')}"`;
  const headers = { 'cache-control': `public, max-age=${Math.max(0, maxAgeSeconds)}`, etag };
  return matchesEtag(etag, ifNoneMatch) ? { status: 304, headers } : { status: 200, headers, body };
}

/** The members that a key has. Libraries reject a key with an empty coordinate. */
const nonEmptyMembers = (key: JsonWebKey): Record<string, string> =>
  Object.fromEntries(Object.entries(key).filter(([, value]) => value !== ''));

/** Whether the client has this version: `*`, or a list of tags, weak ones too (RFC 9110, section 13.1.2). */
const matchesEtag = (etag: string, ifNoneMatch = ''): boolean =>
  ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
