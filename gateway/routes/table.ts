// The table of routes: which paths and methods there are, and what each does.

import type { FastifyRequest } from 'fastify';
import type { AuthClient, CallContext } from '../auth-client.js';
import { type Fields, readBody } from '../http/body.js';
import { type Answer, methodNotAllowed, notFound, ok, unavailable } from '../http/responses.js';
import { keySet } from './key-set.js';
import { logout } from './logout.js';
import { KEY_SET_PATH, LIVENESS_PATH, READINESS_PATH, type RoutePaths, withoutSlash } from './paths.js';
import { refresh } from './refresh.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The route of the request's path. */
    route: Route | undefined;
  }
}

/** What a path does, with and without a trailing slash. */
export interface Route {
  readonly methods: readonly ('GET' | 'HEAD' | 'POST')[];
  /** Asked by machines every few seconds: its successes are no news to the log. */
  readonly quiet: boolean;
  /**
   * A supervisor or load balancer asks for the state of the process. It gets an answer whatever the rate limit says, and
   * its connection is closed, so that probes keep none.
   */
  readonly probe: boolean;
  /** Whether every page may read it, whatever its origin. */
  readonly public: boolean;
  /** @throws Refusal, CallFailed */
  handle(request: FastifyRequest, context: CallContext): Promise<Answer>;
}

export type Routes = ReadonlyMap<string, Route>;

const post = (handle: Route['handle']): Route => ({
  methods: ['POST'],
  quiet: false,
  probe: false,
  public: false,
  handle,
});

const read = (handle: Route['handle']): Route => ({
  methods: ['GET', 'HEAD'],
  quiet: true,
  probe: false,
  public: false,
  handle,
});

const probe = (handle: Route['handle']): Route => ({ ...read(handle), probe: true });

/** @param paths of refresh and logout; all lead to the same route */
export function createRoutes(client: AuthClient, paths: RoutePaths): Routes {
  const refreshRoute = post(async (request, context) => refresh(client, await fieldsOf(request), context));
  const logoutRoute = post(async (request, context) =>
    logout(client, await fieldsOf(request), request.headers.authorization, context),
  );
  return new Map([
    ...paths.refresh.map((path): [string, Route] => [path, refreshRoute]),
    ...paths.logout.map((path): [string, Route] => [path, logoutRoute]),
    // As little news as a probe: every verifier asks again once its copy is old. But anybody may ask, at a call each.
    [
      KEY_SET_PATH,
      { ...read(({ headers }, context) => keySet(client, headers['if-none-match'], context)), public: true },
    ],
    // Whether this process lives. It does not ask the service: a restart of the gateway would not bring that back.
    [LIVENESS_PATH, probe(async () => ok({ status: 'ok' }))],
    [
      READINESS_PATH,
      probe(async (_request, context) => ((await client.isServing(context)) ? ok({ status: 'ok' }) : unavailable())),
    ],
  ]);
}

const fieldsOf = ({ body, headers }: FastifyRequest): Promise<Fields> =>
  readBody(body instanceof Buffer ? body : Buffer.alloc(0), headers['content-type'] ?? '');

/** A path that no route has: what a target is taken for that cannot be decoded. */
const NOWHERE = '/%EF%BF%BD';

/** A request's target as a path and a query, as the router knows it (RFC 9112, section 3.2): of a URL only those count. */
export function originForm(target: string): string {
  const local = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  const path = local.startsWith('/') ? local : `/${local}`;
  return decoded(path) === undefined ? NOWHERE : path;
}

/** The path of a target in origin form, as the table has it: decoded, without its query and a trailing slash. */
export const pathOf = (url: string): string => withoutSlash(decoded(url) ?? url);

/** Without its query. What is reserved stays encoded, as in the router: `%2F` is no slash. */
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
export const allowOf = ({ methods }: Route): string => [...methods, 'OPTIONS'].join(', ');

/** The answer where the table has no such path, or the path no such method. */
export const missing = ({ method, route }: FastifyRequest): Answer =>
  route ? methodNotAllowed(method, allowOf(route)) : notFound;
