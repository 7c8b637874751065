// Owns the route of the public keys: a JSON Web Key Set (RFC 7517, section 5) that caches and verifiers may keep.

import { createHash } from 'node:crypto';
import type { JsonWebKey } from '../../proto/gen/auth/v1/auth_service.js';
import type { AuthClient, CallContext } from '../auth-client.js';
import type { Answer } from '../http/responses.js';

/**
 * As `application/json`: it is what OpenID providers answer, and some clients take nothing else, though the registered
 * type is application/jwk-set+json.
 * @param ifNoneMatch the header If-None-Match
 * @throws CallFailed
 */
export async function keySet(
  client: AuthClient,
  ifNoneMatch: string | undefined,
  context: CallContext,
): Promise<Answer> {
  const { keys, maxAgeSeconds } = await client.keySet(context);
  const body = { keys: keys.map(present) };
  const etag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url')}"`;
  const headers = { 'cache-control': `public, max-age=${Math.max(0, maxAgeSeconds)}`, etag };
  return isKnown(etag, ifNoneMatch) ? { status: 304, headers } : { status: 200, headers, body };
}

/** A key with the members alone that it has: an empty coordinate is no key to any library. */
const present = (key: JsonWebKey): Record<string, string> =>
  Object.fromEntries(Object.entries(key).filter(([, value]) => value !== ''));

/** Whether the client has it already: `*`, or a list of tags, weak ones too (RFC 9110, section 13.1.2). */
const isKnown = (etag: string, ifNoneMatch = ''): boolean =>
  ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
