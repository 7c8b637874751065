// What the refresh route does: a refresh token in, the next pair out.

import type { AuthClient } from '../auth-client.js';
import type { Fields } from '../http/body.js';
import { FieldReader } from '../http/fields.js';
import { type HttpResponse, ok } from '../http/responses.js';
import type { CallContext } from '../service-connection.js';

/** @throws HttpError, RpcError */
export async function refresh(client: AuthClient, fields: Fields, context: CallContext): Promise<HttpResponse> {
  const reader = new FieldReader(fields);
  const refreshToken = reader.text('refresh', { required: true });
  reader.check();
  const pair = await client.refresh(refreshToken ?? '', context);
  if (!pair?.accessToken || !pair.refreshToken) throw new Error('the service answered a refresh without a pair');
  return ok({ access: pair.accessToken, refresh: pair.refreshToken });
}
