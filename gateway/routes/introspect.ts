// The introspection endpoint (RFC 7662): whether a token of either kind is active; signed on request (RFC 9701).

import type { AuthClient } from '../auth-client.js';
import { prefers } from '../http/accept.js';
import { HttpError, type HttpResponse, ok } from '../http/responses.js';
import { invalidRequest, notSigned } from '../oauth/errors.js';
import type { Parameters } from '../oauth/form.js';
import type { CallContext } from '../service-connection.js';

const SIGNED = 'application/token-introspection+jwt';

export interface IntrospectionRequest {
  readonly parameters: Parameters;
  /** The header Accept. */
  readonly accept: string | undefined;
  /** The client that has authenticated. */
  readonly clientId: string;
}

/**
 * `token_type_hint` is not read: the token itself shows its type.
 * @throws HttpError, RpcError if the service cannot answer
 */
export async function introspect(
  client: AuthClient,
  { parameters, accept, clientId }: IntrospectionRequest,
  context: CallContext,
): Promise<HttpResponse> {
  const token = parameters.get('token');
  if (token === undefined) throw invalidRequest('token is missing');
  const isSigned = prefers(accept, SIGNED, 'application/json');
  const { active, response, jwt } = await client.introspect({ token, jwtAudience: isSigned ? clientId : '' }, context);
  if (response?.['active'] !== active) throw new Error('the service answered an introspection without a response');
  if (!isSigned) return ok(response);
  // A client that wants a signature must not get a response without one.
  if (jwt === '') throw new HttpError(notSigned);
  return { status: 200, headers: { 'content-type': SIGNED }, text: jwt };
}
