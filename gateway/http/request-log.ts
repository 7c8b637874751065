// Owns what every request has whatever its route: an id, the headers of its answer, and its one line in the log.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptRequestId, type Logger } from '../../src/log.js';
import type { CallContext, CallEnd } from '../auth-client.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** How the call of the service ended, if one was made. */
    callEnd: CallEnd | undefined;
    /** The client that has asked too often, where that is why the request was refused. */
    throttled: string | undefined;
  }
}

/** The client's own id if it is harmless, else a new one. */
export const requestId = ({ headers }: IncomingMessage): string =>
  acceptRequestId(headers['x-request-id']) ?? randomUUID();

/**
 * Readies a request: no answer may be stored, for it may hold tokens (RFC 6749, section 5.1).
 * @param route what the log calls it; never the URL, whose query could hold a token
 * @param quiet whether success is worth no line at the level `info`
 */
export function begin(request: FastifyRequest, reply: FastifyReply, log: Logger, route: string, quiet: boolean): void {
  reply.headers({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': request.id,
  });
  const { raw } = reply;
  const startMs = performance.now();
  raw.once('close', () => {
    const { statusCode } = raw;
    const level = statusCode >= 500 ? 'warn' : quiet ? 'debug' : 'info';
    log[level](
      {
        requestId: request.id,
        method: request.method,
        route,
        ...(raw.headersSent ? { status: statusCode } : {}),
        ...(raw.writableFinished ? {} : { aborted: true }),
        durationMs: Math.round((performance.now() - startMs) * 10) / 10,
        ...(request.throttled === undefined ? {} : { throttled: request.throttled }),
        ...(request.callEnd ? { grpcCode: request.callEnd.code } : {}),
        ...(request.callEnd && statusCode >= 500 ? { grpcDetails: request.callEnd.details } : {}),
      },
      'request',
    );
  });
}

/** What a request's call of the service is made with. */
export const contextOf = (request: FastifyRequest): CallContext => ({
  requestId: request.id,
  ended: (end) => {
    request.callEnd = end;
  },
});
