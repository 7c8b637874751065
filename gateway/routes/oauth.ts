// The routes for OAuth clients: introspection, revocation of a token or of a whole subject, metadata, the event stream.
// RFC 7662, RFC 7009 and RFC 8414.

import type { FastifyRequest } from 'fastify';
import { linesOf } from '../../src/bearer/credentials.js';
import type { AuthClient } from '../auth-client.js';
import { bodyOf } from '../http/body.js';
import { type HttpResponse, unavailable } from '../http/responses.js';
import { authenticateClient, type Clients, requireRight } from '../oauth/client-authentication.js';
import { type ClientCredentials, readClientCredentials } from '../oauth/client-credentials.js';
import { NO_PARAMETERS, type Parameters, readForm } from '../oauth/form.js';
import type { PublicUrls } from '../oauth/public-urls.js';
import { readSubject } from '../oauth/subject.js';
import {
  AUTHORIZATION_SERVER,
  INTROSPECT,
  REVOCATION_EVENTS,
  REVOKE,
  REVOKE_ALL,
} from '../openapi/oauth-operations.js';
import type { EventSource } from '../revocations/event-source.js';
import type { RevokerClient } from '../revoker-client.js';
import { revokeAll } from './global-revocation.js';
import { introspect } from './introspect.js';
import { type MetadataParts, metadata } from './metadata.js';
import { GLOBAL_REVOCATION_PATH, INTROSPECTION_PATH, REVOCATION_PATH, REVOCATIONS_PATH } from './paths.js';
import { revoke } from './revoke.js';
import { post, type Route, read } from './route.js';

/** What the routes work with. */
export interface OAuthParts {
  readonly client: AuthClient;
  /** The current clients. */
  readonly clients: () => Clients;
  /** The issuer of our tokens, if it is known here. */
  readonly issuer: string | undefined;
  /** Undefined: there is no metadata. */
  readonly urls: PublicUrls | undefined;
  /** Undefined: there is no global token revocation. */
  readonly revoker: RevokerClient | undefined;
  readonly events: EventSource;
}

/** `x-accel-buffering` keeps nginx from holding events back. */
const EVENT_STREAM = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
/** When to try again if there are too many streams, seconds. */
const TOO_MANY_RETRY_S = 10;

type Handle = Route['handle'];

/** The routes by their paths. */
export function oauthRoutes(parts: OAuthParts): readonly (readonly [string, Route])[] {
  const { client, urls, revoker } = parts;
  const hasGlobalRevocation = revoker !== undefined;
  return [
    // Logged like a probe: resource servers ask about each request that they get. No page of a browser has a secret.
    [INTROSPECTION_PATH, { ...post(INTROSPECT, introspection(parts)), logSuccessAtDebug: true, pages: 'none' }],
    [REVOCATION_PATH, post(REVOKE, revocation(parts))],
    ...(revoker
      ? [[GLOBAL_REVOCATION_PATH, { ...post(REVOKE_ALL, globalRevocation(parts, revoker)), pages: 'none' }] as const]
      : []),
    [
      REVOCATIONS_PATH,
      {
        ...read(REVOCATION_EVENTS, revocationEvents(parts)),
        methods: ['GET'],
        logSuccessAtDebug: false,
        pages: 'none',
      },
    ],
    ...(urls ? [[urls.metadataPath, metadataRoute({ client, urls, hasGlobalRevocation })] as const] : []),
  ];
}

const introspection =
  ({ client, clients }: OAuthParts): Handle =>
  async (request, context): Promise<HttpResponse> => {
    const { parameters, credentials } = received(request);
    const { id: clientId } = requireRight(clients(), credentials, 'introspect');
    request.oauthClient = clientId;
    return introspect(client, { parameters, accept: request.headers.accept, clientId }, context);
  };

const revocation =
  ({ client, clients }: OAuthParts): Handle =>
  async (request, context): Promise<HttpResponse> => {
    const { parameters, credentials } = received(request);
    // Every holder of a token may end its session, as by logout. But credentials that are sent must be right.
    if (credentials) request.oauthClient = authenticateClient(clients(), credentials).id;
    return revoke(client, parameters, context);
  };

const globalRevocation =
  ({ clients, issuer }: OAuthParts, revoker: RevokerClient): Handle =>
  async (request, context): Promise<HttpResponse> => {
    const credentials = readClientCredentials(authorizationOf(request), NO_PARAMETERS);
    request.oauthClient = requireRight(clients(), credentials, 'global_revocation', 403).id;
    const subject = readSubject(bodyOf(request), request.headers['content-type'] ?? '', issuer);
    return revokeAll(revoker, subject, context);
  };

const revocationEvents =
  ({ clients, events }: OAuthParts): Handle =>
  async (request): Promise<HttpResponse> => {
    const credentials = readClientCredentials(authorizationOf(request), NO_PARAMETERS);
    request.oauthClient = requireRight(clients(), credentials, 'watch', 403).id;
    const lastEventId = request.headers['last-event-id'];
    const stream = events.stream(typeof lastEventId === 'string' ? lastEventId : undefined);
    return stream ? { status: 200, headers: EVENT_STREAM, stream } : unavailable(TOO_MANY_RETRY_S);
  };

const metadataRoute = (parts: MetadataParts): Route => ({
  ...read(AUTHORIZATION_SERVER, ({ headers }, context) => metadata(parts, headers['if-none-match'], context)),
  pages: 'all',
});

/** @throws HttpError */
function received(request: FastifyRequest): {
  readonly parameters: Parameters;
  readonly credentials: ClientCredentials | undefined;
} {
  const parameters = readForm(bodyOf(request), request.headers['content-type'] ?? '');
  return { parameters, credentials: readClientCredentials(authorizationOf(request), parameters) };
}

const authorizationOf = ({ raw }: FastifyRequest): readonly string[] => linesOf(raw.rawHeaders, 'authorization');
