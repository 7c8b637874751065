// The metadata of the OAuth endpoints (RFC 8414): where each of them is, and what it supports.

import type { AuthClient } from '../auth-client.js';
import { cacheable } from '../http/cacheable.js';
import type { HttpResponse } from '../http/responses.js';
import type { PublicUrls } from '../oauth/public-urls.js';
import type { CallContext } from '../service-connection.js';
import { GLOBAL_REVOCATION_PATH, INTROSPECTION_PATH, KEY_SET_PATH, REVOCATION_PATH } from './paths.js';

export interface MetadataParts {
  readonly client: AuthClient;
  readonly urls: PublicUrls;
  /** Whether the endpoint for global token revocation is there. */
  readonly hasGlobalRevocation: boolean;
}

const SECRET_METHODS = ['client_secret_basic', 'client_secret_post'];

/**
 * There are no authorization and token endpoints, and so no `response_types_supported`: a member with an empty list
 * must be left out (RFC 8414, section 3.2).
 * @param ifNoneMatch the header If-None-Match
 * @throws RpcError
 */
export async function metadata(
  { client, urls: { issuer, base }, hasGlobalRevocation }: MetadataParts,
  ifNoneMatch: string | undefined,
  context: CallContext,
): Promise<HttpResponse> {
  // The keys decide whether others can verify signatures; under HS256 there is none that they may have.
  const { keys, maxAgeSeconds } = await client.keySet(context);
  const body = {
    issuer,
    ...(keys.length === 0 ? {} : { jwks_uri: `${base}${KEY_SET_PATH}` }),
    introspection_endpoint: `${base}${INTROSPECTION_PATH}`,
    introspection_endpoint_auth_methods_supported: SECRET_METHODS,
    // RFC 9701, section 7. The service signs by the algorithm of one of these keys.
    ...(keys.length === 0
      ? {}
      : { introspection_signing_alg_values_supported: [...new Set(keys.map(({ alg }) => alg))].sort() }),
    revocation_endpoint: `${base}${REVOCATION_PATH}`,
    revocation_endpoint_auth_methods_supported: [...SECRET_METHODS, 'none'],
    ...(hasGlobalRevocation
      ? {
          global_token_revocation_endpoint: `${base}${GLOBAL_REVOCATION_PATH}`,
          global_token_revocation_endpoint_auth_methods_supported: ['client_secret_basic'],
        }
      : {}),
  };
  return cacheable(body, maxAgeSeconds, ifNoneMatch);
}
