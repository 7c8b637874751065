// A route: what a path does, and what the app must know of it.

import type { FastifyRequest } from 'fastify';
import type { HttpResponse } from '../http/responses.js';
import type { Operation } from '../openapi/operation.js';
import type { CallContext } from '../service-connection.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The route of the request's path. */
    route: Route | undefined;
  }
}

/** A route, for its path with and without a trailing slash. */
export interface Route {
  /** Undefined: all methods. */
  readonly methods: readonly ('GET' | 'HEAD' | 'POST')[] | undefined;
  /** Whether a success is logged at the level `debug`. Monitoring requests such a route every few seconds. */
  readonly logSuccessAtDebug: boolean;
  /**
   * Whether supervisors and load balancers request it to learn the state of the process. The connection is closed after
   * the response, so that probes hold no connection open.
   */
  readonly probe: boolean;
  /** Whether RATE_LIMIT counts its requests. */
  readonly rateLimited: boolean;
  /** Whether pages may read it: of listed origins, of every origin, or none. No page of a browser sees a check. */
  readonly pages: 'listed' | 'all' | 'none';
  /** Whether the response is made before a body has arrived. The body is not read then. */
  readonly ignoresBody: boolean;
  /** What the OpenAPI document says of it. */
  readonly operation: Operation;
  /** @throws HttpError, RpcError */
  handle(request: FastifyRequest, context: CallContext): Promise<HttpResponse>;
}

export type Routes = ReadonlyMap<string, Route>;

export const post = (operation: Operation, handle: Route['handle']): Route => ({
  methods: ['POST'],
  logSuccessAtDebug: false,
  rateLimited: true,
  probe: false,
  pages: 'listed',
  ignoresBody: false,
  operation,
  handle,
});

export const read = (operation: Operation, handle: Route['handle']): Route => ({
  methods: ['GET', 'HEAD'],
  logSuccessAtDebug: true,
  rateLimited: true,
  probe: false,
  pages: 'listed',
  ignoresBody: false,
  operation,
  handle,
});

export const probe = (operation: Operation, handle: Route['handle']): Route => ({
  ...read(operation, handle),
  ...{ probe: true, rateLimited: false },
});
