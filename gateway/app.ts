// The HTTP app: its routes, the hooks that each request passes through, and the one place that answers errors.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { fastifyCors } from '@fastify/cors';
import { type FastifyError, type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from '../src/log.js';
import { type AuthClient, CallFailed } from './auth-client.js';
import type { GatewaySettings } from './config.js';
import { corsOptions, publicCors } from './http/cors.js';
import { answerFailure } from './http/grpc-to-http.js';
import { createAdmission } from './http/request-checks.js';
import { begin, contextOf, requestId } from './http/request-log.js';
import {
  type Answer,
  badRequest,
  notFound,
  Refusal,
  send,
  tooLarge,
  unavailable,
  unsupportedMediaType,
} from './http/responses.js';
import { createThrottle } from './http/throttle.js';
import type { TrustsProxy } from './limits/client-address.js';
import { allowOf, createRoutes, missing, originForm, pathOf } from './routes/table.js';

/** What the app works with. */
export interface AppParts {
  readonly log: Logger;
  readonly client: AuthClient;
  readonly trusts: TrustsProxy;
  /** Answers bytes that Node's parser does not take for a request. */
  readonly refuse: (error: NodeJS.ErrnoException, socket: Socket) => void;
  /** A clock that only goes forward, for windows of time. */
  readonly nowMs: () => number;
}

/** Builds the app; it does not listen yet. */
export function createApp(
  { cors, paths, rateLimit, limits }: GatewaySettings,
  { log, client, trusts, refuse, nowMs }: AppParts,
): FastifyInstance<Server> {
  const routes = createRoutes(client, paths);
  const start = (request: FastifyRequest, reply: Parameters<typeof begin>[1]): void => {
    const path = pathOf(request.url);
    const route = routes.get(path);
    request.route = route;
    begin(request, reply, log, route ? path : 'unknown', route?.quiet ?? false);
    if (route?.probe) reply.header('connection', 'close');
    // Also where it is a preflight, which the plugin answers.
    if (route && request.method === 'OPTIONS') reply.header('allow', allowOf(route));
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
  app.register(fastifyCors, corsOptions(cors));

  const admit = createAdmission(limits);
  const throttle = rateLimit && createThrottle(rateLimit, trusts, nowMs);
  // After CORS, so that a page may read these answers too, and before the body, which must not matter to them.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (!request.route?.probe) throttle?.(request, reply);
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
    const config = route.public ? { cors: publicCors(cors) } : {};
    app.route({
      method: [...route.methods],
      url,
      config,
      handler: async (request, reply) => {
        send(reply, await route.handle(request, contextOf(request)));
      },
    });
    app.route({
      method: 'OPTIONS',
      url,
      config,
      handler: (_request, reply) => send(reply, { status: 204 }),
    });
  }
  return app;
}

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
