// The table of routes: each path with its methods and its handler.

import type { FastifyRequest } from 'fastify';
import type { AuthClient } from '../auth-client.js';
import { bodyOf, type Fields, readBody } from '../http/body.js';
import { type HttpResponse, methodNotAllowed, notFound, ok, unavailable } from '../http/responses.js';
import { BEGIN_SESSION, CHECK, KEY_SET, LIVENESS, LOGOUT, READINESS, REFRESH } from '../openapi/operations.js';
import type { CallContext } from '../service-connection.js';
import type { CheckedRequest } from './check.js';
import { asksForCookie, type CookieMode, cookieModeIsOff, type PageRequest } from './cookie-mode.js';
import { keySet } from './key-set.js';
import { logout } from './logout.js';
import { type OAuthParts, oauthRoutes } from './oauth.js';
import { openApiRoute } from './openapi.js';
import {
  CHECK_PATH,
  KEY_SET_PATH,
  LIVENESS_PATH,
  OPENAPI_PATH,
  READINESS_PATH,
  type RoutePaths,
  SESSION_PATH,
  withoutSlash,
} from './paths.js';
import { refresh } from './refresh.js';
import { post, probe, type Route, type Routes, read } from './route.js';

/** How a check is answered. */
export type Check = (request: CheckedRequest, context: CallContext) => Promise<HttpResponse>;

/** What the routes work with. */
export interface RouteParts {
  readonly client: AuthClient;
  readonly check: Check;
  /** Undefined: there are no routes for OAuth clients. */
  readonly oauth: OAuthParts | undefined;
  /** Undefined: cookie mode is off. */
  readonly cookies: CookieMode | undefined;
  /** The version of the program. */
  readonly version: string;
}

/** A handler of cookie mode. */
type PageHandler = (request: PageRequest, context: CallContext) => Promise<HttpResponse>;

/** Handles a request by its mode. @param page undefined: cookie mode is off */
const byMode =
  (plain: Route['handle'], page: PageHandler | undefined): Route['handle'] =>
  async (request, context) => {
    if (!asksForCookie(request.headers)) return plain(request, context);
    return page ? page(await pageRequest(request), context) : cookieModeIsOff;
  };

const pageRequest = async (request: FastifyRequest): Promise<PageRequest> => ({
  headers: request.headers,
  fields: await fieldsOf(request),
});

/** @param paths the paths of refresh and of logout; all paths of one list share a route */
export function createRoutes({ client, check, oauth, cookies, version }: RouteParts, paths: RoutePaths): Routes {
  const plainRefresh: Route['handle'] = async (request, context) => refresh(client, await fieldsOf(request), context);
  const plainLogout: Route['handle'] = async (request, context) =>
    logout(client, await fieldsOf(request), request.headers.authorization, context);
  const refreshRoute = post(REFRESH, byMode(plainRefresh, cookies && ((...asked) => cookies.refresh(...asked))));
  const logoutRoute = post(LOGOUT, byMode(plainLogout, cookies && ((...asked) => cookies.logout(...asked))));
  const begin: Route['handle'] | undefined =
    cookies && (async (request, context) => cookies.session(await pageRequest(request), context));
  const routes = new Map<string, Route>([
    ...(begin ? [[SESSION_PATH, post(BEGIN_SESSION, begin)] as [string, Route]] : []),
    ...paths.refresh.map((path): [string, Route] => [path, refreshRoute]),
    ...paths.logout.map((path): [string, Route] => [path, logoutRoute]),
    // Not rate limited: its client is a proxy, which asks it about the requests of all clients.
    [
      CHECK_PATH,
      {
        ...read(CHECK, ({ raw, url }, context) => check({ rawHeaders: raw.rawHeaders, target: url }, context)),
        ...{ methods: undefined, rateLimited: false, pages: 'none', ignoresBody: true },
      },
    ],
    // Logged like a probe, because every verifier fetches it again and again. Rate limited, because each costs a call.
    [
      KEY_SET_PATH,
      { ...read(KEY_SET, ({ headers }, context) => keySet(client, headers['if-none-match'], context)), pages: 'all' },
    ],
    ...(oauth ? oauthRoutes(oauth) : []),
    // Whether this process is alive. It does not depend on the service: to restart the gateway would not repair that.
    [LIVENESS_PATH, probe(LIVENESS, async () => ok({ status: 'ok' }))],
    [
      READINESS_PATH,
      probe(READINESS, async (_request, context) =>
        (await client.isServing(context)) ? ok({ status: 'ok' }) : unavailable(),
      ),
    ],
  ]);
  // The last one, since it describes all of them, itself too.
  return routes.set(OPENAPI_PATH, openApiRoute(routes, version));
}

const fieldsOf = (request: FastifyRequest): Promise<Fields> =>
  readBody(bodyOf(request), request.headers['content-type'] ?? '');

/** The path that replaces a target that cannot be decoded. No route has it. */
const NOWHERE = '/%EF%BF%BD';

/** The request target in origin form, a path and a query, for the router (RFC 9112, section 3.2). */
export function originForm(target: string): string {
  const local = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  const path = local.startsWith('/') ? local : `/${local}`;
  // What follows is the target of the request that a proxy asks about: any text, and its query is the client's.
  if (path.startsWith(`${CHECK_PATH}/`)) return CHECK_PATH;
  return decoded(path) === undefined ? NOWHERE : path;
}

/** The path of a target in origin form, as in the table: decoded, without query and trailing slash. */
export const pathOf = (url: string): string => withoutSlash(decoded(url) ?? url);

/** The decoded path, without the query. Reserved characters stay encoded, as in the router: `%2F` is no slash. */
function decoded(url: string): string | undefined {
  const path = url.replace(/[?#].*$/s, '');
  if (!path.includes('%')) return path;
  try {
    return decodeURI(path);
  } catch {
    return undefined;
  }
}

/** The methods of a path, for the header `Allow`. */
export const allowOf = ({ methods = [] }: Route): string => [...methods, 'OPTIONS'].join(', ');

/** 404 if the table has no such path, 405 if the path has no such method. */
export const notFoundOr405 = ({ method, route }: FastifyRequest): HttpResponse =>
  route ? methodNotAllowed(method, allowOf(route)) : notFound;
