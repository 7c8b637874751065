// Owns the logout route: ends the session of a refresh token, of a bearer, or of both.

import type { AuthClient, CallContext } from '../auth-client.js';
import type { Fields } from '../http/body.js';
import { FieldReader } from '../http/fields.js';
import { TOKEN_INVALID } from '../http/grpc-to-http.js';
import { type Answer, badToken, ok, Refusal } from '../http/responses.js';

/**
 * @param authorization the header of that name
 * @throws Refusal, CallFailed
 */
export async function logout(
  client: AuthClient,
  fields: Fields,
  authorization: string | undefined,
  context: CallContext,
): Promise<Answer> {
  const bearer = readBearer(authorization);
  const reader = new FieldReader(fields);
  const refreshToken = reader.text('refresh', { required: bearer === undefined });
  const allSessions = reader.flag('all_sessions');
  reader.check();
  if (refreshToken === undefined && bearer === MALFORMED) throw new Refusal(badToken(TOKEN_INVALID));
  await client.logout({ accessToken: bearer ?? '', refreshToken: refreshToken ?? '', allSessions }, context);
  return ok({});
}

/** To the service: no access token. Beside a refresh token a malformed bearer counts as none. */
const MALFORMED = '';

/** The token of RFC 6750, section 2.1; undefined where the header is missing or of another scheme. */
function readBearer(authorization: string | undefined): string | undefined {
  const [scheme = '', ...rest] = authorization?.trim().split(/\s+/) ?? [];
  if (scheme.toLowerCase() !== 'bearer') return undefined;
  const [token] = rest;
  return token === undefined || rest.length > 1 ? MALFORMED : token;
}
