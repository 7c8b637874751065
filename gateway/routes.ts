// Owns the table of routes: which paths and methods there are, and what each does.

import type { FastifyRequest } from 'fastify';
import { type Answer, methodNotAllowed, notFound, ok, unavailable } from './answers.js';
import type { AuthClient, CallContext } from './auth-client.js';
import { type Fields, readBody } from './body.js';
import { keySet } from './key-set.js';
import { logout } from './logout.js';
import { refresh } from './refresh.js';

/** What a path does, with and without a trailing slash. */
export interface Route {
  readonly methods: readonly ('GET' | 'HEAD' | 'POST')[];
  /** Asked by machines every few seconds: its successes are no news to the log. */
  readonly quiet: boolean;
  /** Whether who asks too often is refused. */
  readonly counted: boolean;
  /** @throws Refusal, CallFailed */
  handle(request: FastifyRequest, context: CallContext): Promise<Answer>;
}

export type Routes = ReadonlyMap<string, Route>;

const post = (handle: Route['handle']): Route => ({ methods: ['POST'], quiet: false, counted: true, handle });

const read = (handle: Route['handle']): Route => ({ methods: ['GET', 'HEAD'], quiet: true, counted: true, handle });

/** Who watches over the process must have an answer, whatever else comes from that address. */
const probe = (handle: Route['handle']): Route => ({ ...read(handle), counted: false });

export const createRoutes = (client: AuthClient): Routes =>
  new Map([
    ['/api/auth/token/refresh', post(async (request, context) => refresh(client, await fieldsOf(request), context))],
    [
      '/api/auth/logout',
      post(async (request, context) => logout(client, await fieldsOf(request), request.headers.authorization, context)),
    ],
    // As little news as a probe: every verifier asks again once its copy is old. But anybody may ask, at a call each.
    ['/.well-known/jwks.json', read(({ headers }, context) => keySet(client, headers['if-none-match'], context))],
    // Whether this process lives. It does not ask the service: a restart of the gateway would not bring that back.
    ['/healthz', probe(async () => ok({ status: 'ok' }))],
    [
      '/readyz',
      probe(async (_request, context) => ((await client.isServing(context)) ? ok({ status: 'ok' }) : unavailable())),
    ],
  ]);

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
export const pathOf = (url: string): string => (decoded(url) ?? url).replace(/(?<=.)\/$/, '');

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
