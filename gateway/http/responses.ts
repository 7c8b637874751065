// The responses of the gateway, byte for byte those of djangorestframework, and the error that carries one.

import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { badTokenBody, UNAVAILABLE_BODY } from '../../src/bearer/refusals.js';

/** An HTTP response before it is sent. */
export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; undefined: no body, unless there is a text. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Sent as it is, with the media type in `headers`. */
  readonly text?: string;
  /** Sent for as long as it lasts, with the media type in `headers`. */
  readonly stream?: Readable;
}

/** Error texts by field. */
export type FieldFaults = Readonly<Record<string, readonly string[]>>;

/** An error with its HTTP response. Any code may throw it; one error handler sends it. */
export class HttpError extends Error {
  readonly code = 'HTTP_ERROR';
  override readonly name = 'HttpError';
  readonly response: HttpResponse;

  constructor(response: HttpResponse) {
    super(`answered ${response.status}`);
    this.response = response;
  }
}

const detail = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): HttpResponse => ({
  status,
  headers,
  body: { detail: text },
});

export const ok = (body: Readonly<Record<string, unknown>>): HttpResponse => ({ status: 200, body });

export const badRequest = (text: string): HttpResponse => detail(400, text);

export const badFields = (faults: FieldFaults): HttpResponse => ({ status: 400, body: faults });

/** 401, with the challenge of djangorestframework-simplejwt. */
export const badToken = (text: string): HttpResponse => ({
  status: 401,
  headers: { 'www-authenticate': 'Bearer realm="api"' },
  body: badTokenBody(text),
});

/** 403: the request does not come from an allowed page. */
export const csrfFailed = (text: string): HttpResponse => ({
  status: 403,
  body: { detail: text, code: 'csrf_failed' },
});

export const notFound: HttpResponse = detail(404, 'Not found.');

/** @param allow the methods of the path */
export const methodNotAllowed = (method: string, allow: string): HttpResponse =>
  detail(405, `Method "${method}" not allowed.`, { allow });

export const tooLarge = (limitBytes: number): HttpResponse =>
  detail(413, `Request body too large: at most ${limitBytes} bytes are accepted.`);

/** @param mediaType the Content-Type of the request, unchanged */
export const unsupportedMediaType = (mediaType: string): HttpResponse =>
  detail(415, `Unsupported media type "${mediaType}" in request.`);

export const headersTooLarge: HttpResponse = detail(431, 'Request headers too large.');

/**
 * 429: the request was not processed.
 * @param seconds when to retry, in whole seconds, at least 1
 */
export const throttled = (seconds: number): HttpResponse =>
  detail(429, `Request was throttled. Expected available in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`, {
    'retry-after': String(seconds),
  });

/**
 * 503: whether the token is good is unknown.
 * @param retryAfterSeconds when to retry, in whole seconds, at least 1
 */
export const unavailable = (retryAfterSeconds = 1): HttpResponse => ({
  status: 503,
  headers: { 'retry-after': String(retryAfterSeconds) },
  body: UNAVAILABLE_BODY,
});

/** Sends a response. The media type has no charset: JSON is UTF-8 (RFC 8259, section 8.1). */
export function send(reply: FastifyReply, { status, headers = {}, body, text, stream }: HttpResponse): FastifyReply {
  reply.code(status).headers(headers);
  if (stream) return reply.send(stream);
  if (body === undefined) return reply.send(text);
  // Fastify adds a charset to JSON text unless the reply has a serializer of its own. Text and not bytes, because Node
  // sends text in one piece with the headers.
  return reply.type('application/json').serializer(JSON.stringify).send(body);
}
