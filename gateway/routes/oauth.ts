// The routes for OAuth clients: introspection (RFC 7662) and revocation (RFC 7009).

import type { FastifyRequest } from 'fastify';
import { linesOf } from '../../src/bearer/credentials.js';
import type { AuthClient, CallContext } from '../auth-client.js';
import type { HttpResponse } from '../http/responses.js';
import { authenticateClient, type Clients, requireRight } from '../oauth/client-authentication.js';
import { type ClientCredentials, readClientCredentials } from '../oauth/client-credentials.js';
import { type Parameters, readForm } from '../oauth/form.js';
import { introspect } from './introspect.js';
import { INTROSPECTION_PATH, REVOCATION_PATH } from './paths.js';
import { revoke } from './revoke.js';
import { bodyOf, post, type Route } from './route.js';

/** What the routes work with. */
export interface OAuthParts {
  readonly client: AuthClient;
  /** The clients of now. */
  readonly clients: () => Clients;
}

/** The routes by their paths. */
export function oauthRoutes({ client, clients }: OAuthParts): readonly (readonly [string, Route])[] {
  const introspection = async (request: FastifyRequest, context: CallContext): Promise<HttpResponse> => {
    const { parameters, credentials } = received(request);
    request.oauthClient = requireRight(clients(), credentials, 'introspect').id;
    return introspect(client, parameters, context);
  };
  const revocation = async (request: FastifyRequest, context: CallContext): Promise<HttpResponse> => {
    const { parameters, credentials } = received(request);
    // Every holder of a token may end its session, as by logout. But credentials that are sent must be right.
    if (credentials) request.oauthClient = authenticateClient(clients(), credentials).id;
    return revoke(client, parameters, context);
  };
  return [
    // Logged like a probe: resource servers ask about each request that they get. No page of a browser has a secret.
    [INTROSPECTION_PATH, { ...post(introspection), logSuccessAtDebug: true, pages: 'none' }],
    [REVOCATION_PATH, post(revocation)],
  ];
}

/** @throws HttpError */
function received(request: FastifyRequest): {
  readonly parameters: Parameters;
  readonly credentials: ClientCredentials | undefined;
} {
  const parameters = readForm(bodyOf(request), request.headers['content-type'] ?? '');
  const lines = linesOf(request.raw.rawHeaders, 'authorization');
  return { parameters, credentials: readClientCredentials(lines, parameters) };
}
