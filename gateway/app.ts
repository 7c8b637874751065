// Owns the HTTP face: which routes there are, what each request passes through, and the one place that answers errors.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { fastifyCors } from '@fastify/cors';
import { type FastifyError, type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from '../src/log.js';
import { createAdmission } from './admission.js';
import {
  type Answer,
  badRequest,
  notFound,
  Refusal,
  send,
  tooLarge,
  unavailable,
  unsupportedMediaType,
} from './answers.js';
import { type AuthClient, CallFailed } from './auth-client.js';
import type { GatewaySettings } from './config.js';
import { answerFailure } from './failures.js';
import { begin, contextOf, requestId } from './requests.js';
import { allowOf, createRoutes, missing, originForm, pathOf } from './routes.js';
import { createThrottle } from './throttle.js';

/**
 * Builds the app; it does not listen yet.
 * @param refuse answers what Node's parser took for no request
 * @param nowMs a clock that only goes forward, for windows of time
 */
export function createApp(
  { corsOrigins, rateLimit, trustProxy, limits }: GatewaySettings,
  log: Logger,
  client: AuthClient,
  refuse: (error: NodeJS.ErrnoException, socket: Socket) => void,
  nowMs: () => number,
): FastifyInstance<Server> {
  const routes = createRoutes(client);
  const start = (request: FastifyRequest, reply: Parameters<typeof begin>[1]): void => {
    const path = pathOf(request.url);
    const route = routes.get(path);
    request.route = route;
    begin(request, reply, log, route ? path : 'unknown', route?.quiet ?? false);
  };
  const app = fastify({
    logger: false,
    genReqId: requestId,
    requestIdHeader: false,
    rewriteUrl: ({ url = '' }) => originForm(url),
    ...(trustProxy.length > 0 ? { trustProxy: [...trustProxy] } : {}),
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.stalledMs,
    http: {
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      // Asked for by us, so that the answer has our headers.
      requireHostHeader: false,
    },
    // A request that comes as we stop, on a connection that is still there, is served and its connection closed.
    return503OnClosing: false,
    clientErrorHandler: refuse,
    frameworkErrors: (_error, request, reply) => {
      start(request, reply);
      send(reply, notFound);
    },
  });

  app.decorateRequest('route', undefined);
  app.decorateRequest('callEnd', undefined);
  app.decorateRequest('throttled', undefined);
  // None of these waits for anything: with promises each would cost a request turns of its own.
  app.addHook('onRequest', (request, reply, done) => {
    start(request, reply);
    done();
  });
  if (corsOrigins.length > 0) app.register(fastifyCors, corsOptions(corsOrigins));

  const admit = createAdmission(limits);
  const throttle = rateLimit && createThrottle(rateLimit, nowMs);
  // After CORS, so that a page may read these answers too, and before the body, which must not matter to them.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (request.route?.counted ?? true) throttle?.(request, reply);
    admit(request, reply);
    if (request.is404) throw new Refusal(missing(request));
    done();
  });
  app.removeAllContentTypeParsers();
  // Only collected here, within its limit: after a fault in a parser of its own fastify would close the connection.
  // The first type is one of all: fastify remembers the parsers of types that it was told, and looks for others each time.
  app.addContentTypeParser(['application/json', '*'], { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.setNotFoundHandler((request, reply) => send(reply, missing(request)));
  app.setErrorHandler((error: FastifyError, request, reply) =>
    send(reply, answerError(error, request, log, limits.bodyBytes)),
  );

  for (const [url, route] of routes) {
    app.route({
      method: [...route.methods],
      url,
      handler: async (request, reply) => {
        send(reply, await route.handle(request, contextOf(request)));
      },
    });
    app.route({
      method: 'OPTIONS',
      url,
      handler: (_request, reply) => send(reply, { status: 204, headers: { allow: allowOf(route) } }),
    });
  }
  return app;
}

/** A function, for the plugin's own list would give an origin that is not on it some CORS headers all the same. */
const corsOptions = (origins: readonly string[]) => ({
  origin: (origin: string | undefined, callback: (error: Error | null, allowed: string | false) => void) =>
    callback(null, origin !== undefined && origins.includes(origin) ? origin : false),
  methods: ['POST'],
  allowedHeaders: ['content-type', 'authorization', 'x-request-id'],
  exposedHeaders: ['Retry-After', 'X-Request-Id', 'WWW-Authenticate', 'RateLimit', 'RateLimit-Policy'],
  maxAge: 600,
  strictPreflight: false,
});

/** The one place where errors end. What nobody foresaw is told to the log alone. */
function answerError(error: FastifyError, request: FastifyRequest, log: Logger, bodyBytes: number): Answer {
  if (error instanceof Refusal) return error.answer;
  if (error instanceof CallFailed) {
    const { answer, unforeseen } = answerFailure(error);
    if (unforeseen) log.error({ requestId: request.id, err: error }, 'unforeseen answer of the service');
    return answer;
  }
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(bodyBytes);
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return unsupportedMediaType(request.headers['content-type'] ?? '');
  // The body broke off, or was not as long as announced.
  if (error.statusCode !== undefined && error.statusCode < 500) return badRequest('Malformed request.');
  log.error({ requestId: request.id, err: error }, 'unforeseen error');
  return unavailable();
}
