// The introspection endpoint (RFC 7662): whether an access token or a refresh token is active.

import type { AuthClient, CallContext } from '../auth-client.js';
import { isOversized } from '../http/grpc-to-http.js';
import { type HttpResponse, ok } from '../http/responses.js';
import { invalidRequest } from '../oauth/errors.js';
import type { Parameters } from '../oauth/form.js';

/**
 * `token_type_hint` is not read: the token itself says what it is.
 * @throws HttpError, RpcError if the service cannot answer
 */
export async function introspect(
  client: AuthClient,
  parameters: Parameters,
  context: CallContext,
): Promise<HttpResponse> {
  const token = parameters.get('token');
  if (token === undefined) throw invalidRequest('token is missing');
  try {
    const { active, response } = await client.introspect({ token, jwtAudience: '' }, context);
    if (response?.['active'] !== active) throw new Error('the service answered an introspection without a response');
    return ok(response);
  } catch (error) {
    // No token of ours is that large.
    if (isOversized(error)) return ok({ active: false });
    throw error;
  }
}
