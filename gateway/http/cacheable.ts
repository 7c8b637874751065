// Cacheable responses: an ETag, and 304 if the client has the same version (RFC 9110, section 13.1.2).

import { createHash } from 'node:crypto';
import type { HttpResponse } from './responses.js';

/** @param maxAgeSeconds how long caches may keep it @param ifNoneMatch the header If-None-Match */
export function cacheable(
  body: Readonly<Record<string, unknown>>,
  maxAgeSeconds: number,
  ifNoneMatch: string | undefined,
): HttpResponse {
  const etag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url')}"`;
  const headers = { 'cache-control': `public, max-age=${Math.max(0, maxAgeSeconds)}`, etag };
  return matchesEtag(etag, ifNoneMatch) ? { status: 304, headers } : { status: 200, headers, body };
}

/** Whether the client has this version: `*`, or a list of tags, weak ones too. */
const matchesEtag = (etag: string, ifNoneMatch = ''): boolean =>
  ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
