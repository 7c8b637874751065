// The revocation endpoint (RFC 7009): ends the session of an access token or a refresh token.

import type { AuthClient } from '../auth-client.js';
import { isOversized, namesNoSession, tokenProblemIn } from '../http/grpc-to-http.js';
import type { HttpResponse } from '../http/responses.js';
import { invalidRequest, unsupportedTokenType } from '../oauth/errors.js';
import type { Parameters } from '../oauth/form.js';
import type { CallContext } from '../service-connection.js';

const REVOKED: HttpResponse = { status: 200 };

/**
 * A token that is unknown or bad needs no revocation (RFC 7009, section 2.2). `token_type_hint` only chooses what the
 * token is tried as first.
 * @throws HttpError, RpcError if the service cannot answer
 */
export async function revoke(client: AuthClient, parameters: Parameters, context: CallContext): Promise<HttpResponse> {
  const token = parameters.get('token');
  if (token === undefined) throw invalidRequest('token is missing');
  const none = { accessToken: '', refreshToken: '', allSessions: false };
  const asRefresh = { ...none, refreshToken: token };
  const asAccess = { ...none, accessToken: token };
  const isAccess = parameters.get('token_type_hint') === 'access_token';
  for (const request of isAccess ? [asAccess, asRefresh] : [asRefresh, asAccess]) {
    try {
      await client.logout(request, context);
      return REVOKED;
    } catch (error) {
      if (namesNoSession(error)) {
        throw unsupportedTokenType('this access token of another issuer names no session: send its refresh token');
      }
      const problem = tokenProblemIn(error);
      if (problem === undefined && !isOversized(error)) throw error;
      if (problem !== 'WRONG_TYPE') return REVOKED;
    }
  }
  return REVOKED;
}
