// What every request gets, whatever its route: an id, common headers, a trace, a line in the log, and its duration.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptRequestId, type Logger } from '../../src/platform/log.js';
import type { CallContext, CallEnd } from '../service-connection.js';
import { ABORTED, type RequestDurations } from './request-metrics.js';
import type { RequestTrace } from './request-trace.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** How the call to the service ended, if there was one. */
    callEnd: CallEnd | undefined;
    /** Its place in the trace of its client, or in one of its own. */
    trace: RequestTrace | undefined;
    /** The client whose rate limit was exceeded, if that is why the request was refused. */
    throttled: string | undefined;
    /** The id of the OAuth client, once it has authenticated. */
    oauthClient: string | undefined;
  }
}

/** The client's own request id if it is safe to log, else a new one. */
export const requestId = ({ headers }: IncomingMessage): string =>
  acceptRequestId(headers['x-request-id']) ?? randomUUID();

export interface RequestLogOptions {
  /** The name of the route in the log. Never the URL: its query could hold a token. */
  readonly route: string;
  /** Whether a success is logged at the level `debug` instead of `info`. */
  readonly logSuccessAtDebug: boolean;
  /** Undefined: nothing is measured. */
  readonly durations: RequestDurations | undefined;
  readonly trace: RequestTrace;
}

/** Sets the common headers, and writes the log line when the response has ended. */
export function beginRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
  { route, logSuccessAtDebug, durations, trace }: RequestLogOptions,
): void {
  reply.headers({
    // No cache may keep a response, because it may hold tokens (RFC 6749, section 5.1).
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': request.id,
  });
  request.trace = trace;
  const { raw } = reply;
  const startMs = performance.now();
  raw.once('close', () => {
    const { statusCode } = raw;
    const durationMs = performance.now() - startMs;
    trace.end(raw.headersSent ? statusCode : undefined);
    durations?.of(route, raw.headersSent ? `${statusCode}` : ABORTED).observe(durationMs / 1000);
    const level = statusCode >= 500 ? 'warn' : logSuccessAtDebug ? 'debug' : 'info';
    log[level](
      {
        requestId: request.id,
        traceId: trace.traceId,
        method: request.method,
        route,
        ...(raw.headersSent ? { status: statusCode } : {}),
        ...(raw.writableFinished ? {} : { aborted: true }),
        durationMs: Math.round(durationMs * 10) / 10,
        ...(request.throttled === undefined ? {} : { throttled: request.throttled }),
        ...(request.oauthClient === undefined ? {} : { client: request.oauthClient }),
        ...(request.callEnd ? { grpcCode: request.callEnd.code } : {}),
        ...(request.callEnd && statusCode >= 500 ? { grpcDetails: request.callEnd.details } : {}),
      },
      'request',
    );
  });
}

/** The context in which a request calls the service. */
export const callContextOf = (request: FastifyRequest): CallContext => ({
  requestId: request.id,
  beginCall: (method) => request.trace?.beginCall(method) ?? {},
  onEnd: (end) => {
    request.callEnd = end;
    request.trace?.endCall(end.code);
  },
});
