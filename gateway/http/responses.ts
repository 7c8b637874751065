// Owns the answers that a client can get, to the letter those of djangorestframework, and the error that carries one.

import type { FastifyReply } from 'fastify';

/** An HTTP answer before it is sent. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; undefined: no body. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** What is wrong, by field. */
export type FieldFaults = Readonly<Record<string, readonly string[]>>;

/** The request is answered otherwise than with what it asked for. Thrown anywhere, sent in one place. */
export class Refusal extends Error {
  readonly code = 'REFUSAL';
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`answered ${answer.status}`);
    this.answer = answer;
  }
}

const detail = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers,
  body: { detail: text },
});

export const ok = (body: Readonly<Record<string, unknown>>): Answer => ({ status: 200, body });

export const badRequest = (text: string): Answer => detail(400, text);

export const badFields = (faults: FieldFaults): Answer => ({ status: 400, body: faults });

/** 401. The challenge is the one of djangorestframework-simplejwt. */
export const badToken = (text: string): Answer => ({
  status: 401,
  headers: { 'www-authenticate': 'Bearer realm="api"' },
  body: { detail: text, code: 'token_not_valid' },
});

export const notFound: Answer = detail(404, 'Not found.');

/** @param allow the methods that the path has */
export const methodNotAllowed = (method: string, allow: string): Answer =>
  detail(405, `Method "${method}" not allowed.`, { allow });

export const tooLarge = (limitBytes: number): Answer =>
  detail(413, `Request body too large: at most ${limitBytes} bytes are accepted.`);

/** @param mediaType the request's Content-Type as it came, parameters and all */
export const unsupportedMediaType = (mediaType: string): Answer =>
  detail(415, `Unsupported media type "${mediaType}" in request.`);

export const headersTooLarge: Answer = detail(431, 'Request headers too large.');

/**
 * 429, before anything was looked at.
 * @param seconds when to try again, whole, at least 1
 */
export const throttled = (seconds: number): Answer =>
  detail(429, `Request was throttled. Expected available in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`, {
    'retry-after': String(seconds),
  });

/**
 * 503: nothing is said about the token, good or bad.
 * @param retryAfterSeconds when to try again, in whole seconds, at least 1
 */
export const unavailable = (retryAfterSeconds = 1): Answer => ({
  status: 503,
  headers: { 'retry-after': String(retryAfterSeconds) },
  body: { detail: 'Service temporarily unavailable, try again later.', code: 'service_unavailable' },
});

/** Sends an answer. The media type has no charset: JSON is UTF-8 (RFC 8259, section 8.1). */
export function send(reply: FastifyReply, { status, headers = {}, body }: Answer): FastifyReply {
  reply.code(status).headers(headers);
  if (body === undefined) return reply.send();
  // With a serializer of its own: to any other text of JSON's media type fastify puts a charset. And as a text, not as
  // bytes: Node sends it in one piece with the headers.
  return reply.type('application/json').serializer(JSON.stringify).send(body);
}
