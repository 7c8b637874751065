// What the logout route does: it ends the session of a refresh token, of a bearer token, or of both.

import { TOKEN_INVALID } from '../../src/bearer/refusals.js';
import type { AuthClient } from '../auth-client.js';
import type { Fields } from '../http/body.js';
import { FieldReader } from '../http/fields.js';
import { badToken, HttpError, type HttpResponse, ok } from '../http/responses.js';
import type { CallContext } from '../service-connection.js';

/**
 * @param authorization the header `Authorization`
 * @throws HttpError, RpcError
 */
export async function logout(
  client: AuthClient,
  fields: Fields,
  authorization: string | undefined,
  context: CallContext,
): Promise<HttpResponse> {
  const bearer = readBearer(authorization);
  const reader = new FieldReader(fields);
  const refreshToken = reader.text('refresh', { required: bearer === undefined });
  const allSessions = reader.flag('all_sessions');
  reader.check();
  if (refreshToken === undefined && bearer === MALFORMED) throw new HttpError(badToken(TOKEN_INVALID));
  await client.logout({ accessToken: bearer ?? '', refreshToken: refreshToken ?? '', allSessions }, context);
  return ok({});
}

/** The service reads an empty string as no access token. Beside a refresh token a malformed bearer token is ignored. */
const MALFORMED = '';

/** The bearer token (RFC 6750, section 2.1); undefined if the header is missing or has another scheme. */
export function readBearer(authorization: string | undefined): string | undefined {
  const [scheme = '', ...rest] = authorization?.trim().split(/\s+/) ?? [];
  if (scheme.toLowerCase() !== 'bearer') return undefined;
  const [token] = rest;
  return token === undefined || rest.length > 1 ? MALFORMED : token;
}
