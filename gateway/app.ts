// The fastify app: its routes, the hooks that every request passes, and the one error handler.

import type { Server } from 'node:http';
import { fastifyCors } from '@fastify/cors';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from '../src/platform/log.js';
import type { Meter } from '../src/platform/metrics/meter.js';
import type { Tracing } from '../src/platform/tracing.js';
import type { AuthClient } from './auth-client.js';
import type { GatewaySettings } from './config.js';
import type { ClientErrorHandler } from './http/client-errors.js';
import { type CorsSettings, corsOptions, publicCors } from './http/cors.js';
import { responseToFailure } from './http/grpc-to-http.js';
import { createRequestChecks } from './http/request-checks.js';
import { beginRequest, callContextOf, requestId } from './http/request-log.js';
import { requestDurations } from './http/request-metrics.js';
import { RequestTrace } from './http/request-trace.js';
import {
  badRequest,
  HttpError,
  type HttpResponse,
  notFound,
  send,
  tooLarge,
  unavailable,
  unsupportedMediaType,
} from './http/responses.js';
import { createThrottle } from './http/throttle.js';
import type { IsTrustedProxy } from './limits/client-address.js';
import { CookieMode } from './routes/cookie-mode.js';
import type { OAuthParts } from './routes/oauth.js';
import type { Route } from './routes/route.js';
import { allowOf, type Check, createRoutes, notFoundOr405, originForm, pathOf } from './routes/table.js';
import { RpcError } from './service-connection.js';

/** The collaborators of the app. */
export interface AppParts {
  readonly log: Logger;
  readonly client: AuthClient;
  readonly check: Check;
  /** Undefined: there are no routes for OAuth clients. */
  readonly oauth: OAuthParts | undefined;
  readonly isTrustedProxy: IsTrustedProxy;
  readonly onClientError: ClientErrorHandler;
  /** A monotonic clock, for the windows of the rate limit. */
  readonly nowMs: () => number;
  /** The wall clock, Unix ms, for the Max-Age of cookies. */
  readonly unixMs: () => number;
  /** Undefined: nothing is measured. */
  readonly meter: Meter | undefined;
  /** Undefined: nothing is traced. */
  readonly tracing: Tracing | undefined;
  /** The version of the program. */
  readonly version: string;
}

/** The label of requests without a route. */
const UNKNOWN_ROUTE = 'unknown';

/** The CORS of a route, by the pages that may read it. */
const CORS_OF = {
  listed: () => ({}),
  all: (cors: CorsSettings) => ({ cors: publicCors(cors) }),
  none: () => ({ cors: false }),
} as const;

/** Builds the app. It does not listen yet. */
export function createApp(
  { cors, paths, refreshCookie: cookie, rateLimit, limits }: GatewaySettings,
  { log, client, check, oauth, isTrustedProxy, onClientError, nowMs, unixMs, meter, tracing, version }: AppParts,
): FastifyInstance<Server> {
  const cookies = cookie && new CookieMode(client, { cookie, origins: cors.origins, unixMs });
  const routes = createRoutes({ client, check, oauth, cookies, version }, paths);
  const durations = meter && requestDurations(meter, [...routes.keys(), UNKNOWN_ROUTE]);
  const start = (request: FastifyRequest, reply: FastifyReply): void => {
    const path = pathOf(request.url);
    const route = routes.get(path);
    request.route = route;
    const logSuccessAtDebug = route?.logSuccessAtDebug ?? false;
    const { method, headers } = request;
    // A trace of each probe would hide the others.
    const trace = new RequestTrace(route?.probe ? undefined : tracing, { method, headers, route: route && path });
    beginRequest(request, reply, log, { route: route ? path : UNKNOWN_ROUTE, logSuccessAtDebug, durations, trace });
    if (route?.probe) reply.header('connection', 'close');
    // Here, because the CORS plugin answers preflights itself.
    if (route?.methods && request.method === 'OPTIONS') reply.header('allow', allowOf(route));
  };
  const app = fastify({
    logger: false,
    genReqId: requestId,
    requestIdHeader: false,
    rewriteUrl: ({ url = '' }) => originForm(url),
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.stalledMs,
    http: {
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      // The request checks require it, so that the response has our headers.
      requireHostHeader: false,
    },
    // While the gateway stops, it still serves a request on an open connection, and then closes that connection.
    return503OnClosing: false,
    clientErrorHandler: onClientError,
    frameworkErrors: (_error, request, reply) => {
      start(request, reply);
      send(reply, notFound);
    },
  });

  app.decorateRequest('route', undefined);
  app.decorateRequest('callEnd', undefined);
  app.decorateRequest('throttled', undefined);
  app.decorateRequest('trace', undefined);
  app.decorateRequest('oauthClient', undefined);
  // The hooks use callbacks: none of them waits, and each promise would cost a request another turn of the event loop.
  app.addHook('onRequest', (request, reply, done) => {
    start(request, reply);
    done();
  });
  app.register(fastifyCors, corsOptions(cors));

  const checkRequest = createRequestChecks(limits);
  const throttle = rateLimit && createThrottle(rateLimit, isTrustedProxy, nowMs);
  // After CORS, so that a page can read these responses; before the body, because they do not depend on it.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    const { route } = request;
    if (!route || route.rateLimited) throttle?.(request, reply);
    checkRequest(request, reply);
    // Without `done` nothing of the request is read after its head. Node discards its body after the response.
    if (route?.ignoresBody) return void respond(route, request, reply);
    if (request.is404) throw new HttpError(notFoundOr405(request));
    done();
  });
  app.removeAllContentTypeParsers();
  // The parser only collects bytes, within the limit: fastify closes the connection after an error in its own parsers.
  // The list names one type besides `*`, because fastify caches the parsers of named types and searches for all others.
  app.addContentTypeParser(['application/json', '*'], { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.setNotFoundHandler((request, reply) => send(reply, notFoundOr405(request)));
  app.setErrorHandler((error: FastifyError, request, reply) =>
    send(reply, answerError(error, request, log, limits.bodyBytes)),
  );

  const respond = async (route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const response = route
      .handle(request, callContextOf(request))
      .catch((error) => answerError(error, request, log, limits.bodyBytes));
    // The reply, or fastify would end one whose stream has not begun.
    return send(reply, await response);
  };
  for (const [url, route] of routes) {
    const config = CORS_OF[route.pages](cors);
    const handler = (request: FastifyRequest, reply: FastifyReply) => respond(route, request, reply);
    app.route({ method: [...(route.methods ?? app.supportedMethods)], url, config, handler });
    if (!route.methods) continue;
    app.route({
      method: 'OPTIONS',
      url,
      config,
      handler: (_request, reply) => send(reply, { status: 204 }),
    });
  }
  return app;
}

/** The response to an error. The text of an unexpected error goes to the log, never to the client. */
function answerError(error: FastifyError, request: FastifyRequest, log: Logger, bodyBytes: number): HttpResponse {
  if (error instanceof HttpError) return error.response;
  if (error instanceof RpcError) {
    const { response, isUnexpected } = responseToFailure(error);
    if (isUnexpected) log.error({ requestId: request.id, err: error }, 'unexpected response from the service');
    return response;
  }
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(bodyBytes);
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return unsupportedMediaType(request.headers['content-type'] ?? '');
  // The body was incomplete, or its length was not the announced one.
  if (error.statusCode !== undefined && error.statusCode < 500) return badRequest('Malformed request.');
  log.error({ requestId: request.id, err: error }, 'unexpected error');
  return unavailable();
}
