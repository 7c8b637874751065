// The answer of the service to Envoy about an active token, as bytes.

import { credentials, Metadata } from '@grpc/grpc-js';
import { AuthorizationClient, AuthorizationService } from '../../proto/gen/envoy/service/auth/v3/external_auth.js';
import type { Child } from '../servers/child.js';

/** What the service answers to Envoy about a token that is active, encoded. */
export function allowingAnswer({ host, port }: Child, token: string): Promise<Buffer> {
  const client = new AuthorizationClient(`${host}:${port}`, credentials.createInsecure());
  const http = { headers: { authorization: `Bearer ${token}` }, headerMap: undefined };
  const request = { attributes: { request: { http }, contextExtensions: {} } };
  const { path, requestSerialize } = AuthorizationService.check;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      (bytes: Buffer) => bytes,
      request,
      new Metadata(),
      {},
      (error, answer) => {
        client.close();
        if (answer) resolve(answer);
        else reject(error ?? new Error('no answer'));
      },
    );
  });
}
