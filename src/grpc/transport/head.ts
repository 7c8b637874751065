// Heads and trailers of gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';

const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** Captures the message format, if there is one. Does not match gRPC-Web, which is another protocol. */
const CONTENT_TYPE = /^application\/grpc(?:\+([^;\s]+))?\s*(?:;.*)?$/i;
/** The characters that must be percent-encoded in `grpc-message`. */
const ENCODED = /[^\x20-\x24\x26-\x7e]/gu;

const RESPONSE = { ':status': 200, 'content-type': 'application/grpc+proto' } as const;
/** The compressions that the server accepts. */
export const ACCEPTED_ENCODINGS = 'identity,deflate,gzip';

/** Shared by all calls: Node copies it. */
const USUAL_HEAD = Object.freeze({ ...RESPONSE, 'grpc-accept-encoding': ACCEPTED_ENCODINGS });

/** The head of a response with messages. */
export const responseHead = (metadata?: Metadata): OutgoingHttpHeaders =>
  metadata === undefined ? USUAL_HEAD : { ...metadata.toHttp2Headers(), ...USUAL_HEAD };

/** The head of a response that consists of a status only. */
export const statusHead = (end: StatusObject): OutgoingHttpHeaders => ({ ...RESPONSE, ...trailers(end) });

/** The trailers with a status. */
export const trailers = (end: StatusObject): OutgoingHttpHeaders => (end === OK ? OK_TRAILERS : trailersOf(end));

function trailersOf({ code, details, metadata }: StatusObject): OutgoingHttpHeaders {
  const head: OutgoingHttpHeaders = { ...metadata.toHttp2Headers(), 'grpc-status': `${code}` };
  if (details !== '') head['grpc-message'] = details.replace(ENCODED, encode);
  return head;
}

/** Never throws, whatever the text: a lone surrogate becomes U+FFFD. */
const encode = (text: string): string =>
  [...Buffer.from(text, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

/** @returns ms; undefined if the value of `grpc-timeout` is invalid */
export function parseTimeout(text: string): number | undefined {
  const [, count, unit = ''] = TIMEOUT.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

const NOT_GRPC: OutgoingHttpHeaders = { ':status': 415 };
const NOT_POST: OutgoingHttpHeaders = { ':status': 405, allow: 'POST' };

/** @returns the response to a head that is not a call, or has an unknown message format; undefined: the head is good */
export function responseToBadHead(headers: IncomingHttpHeaders): OutgoingHttpHeaders | undefined {
  const [isGrpc, format = 'proto'] = CONTENT_TYPE.exec(headers['content-type'] ?? '') ?? [];
  if (isGrpc === undefined) return NOT_GRPC;
  if (headers[':method'] !== 'POST') return NOT_POST;
  return format.toLowerCase() === 'proto' ? undefined : statusHead(OTHER_FORMAT);
}

export const failure = (code: status, details: string): StatusObject => ({ code, details, metadata: new Metadata() });

const OTHER_FORMAT = failure(
  status.UNIMPLEMENTED,
  'the message format of the call is not supported: the content type must be application/grpc or application/grpc+proto',
);

export const OK: StatusObject = { code: status.OK, details: '', metadata: new Metadata() };
/** Shared by all calls that succeed: Node copies them. */
const OK_TRAILERS = Object.freeze(trailersOf(OK));
