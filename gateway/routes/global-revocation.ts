// The endpoint for global token revocation (draft-parecki-oauth-global-token-revocation-06): all sessions of a subject.

import { isInvalidSubject } from '../http/grpc-to-http.js';
import type { HttpResponse } from '../http/responses.js';
import { invalidRequest } from '../oauth/errors.js';
import type { RevokerClient } from '../revoker-client.js';
import type { CallContext } from '../service-connection.js';

/**
 * Sessions are not listed, so every subject counts as known.
 * @throws HttpError, RpcError if the service cannot answer
 */
export async function revokeAll(client: RevokerClient, subject: string, context: CallContext): Promise<HttpResponse> {
  try {
    await client.revokeSubject(subject, context);
    return { status: 204 };
  } catch (error) {
    if (isInvalidSubject(error)) throw invalidRequest('the subject must have 1 to 255 bytes of valid UTF-8');
    throw error;
  }
}
