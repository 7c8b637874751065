// The route of the OpenAPI document, which describes all routes of this gateway.

import { cacheable } from '../http/cacheable.js';
import { openApiDocument } from '../openapi/document.js';
import { OPENAPI } from '../openapi/operations.js';
import { type Route, type Routes, read } from './route.js';

/** A new version of the program may have another document. */
const MAX_AGE_SECONDS = 300;

/** @param routes complete by the first request */
export function openApiRoute(routes: Routes, version: string): Route {
  let document: ReturnType<typeof openApiDocument> | undefined;
  const handle: Route['handle'] = async ({ headers }) => {
    document ??= openApiDocument(routes, version);
    return cacheable(document, MAX_AGE_SECONDS, headers['if-none-match']);
  };
  return { ...read(OPENAPI, handle), pages: 'all' };
}
