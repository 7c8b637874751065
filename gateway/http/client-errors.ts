// Responses to bytes that Node's parser does not accept as a request, and to expectations other than 100-continue.

import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../../src/platform/log.js';
import type { OpenResponses } from './open-responses.js';

/** The responses to invalid requests, by the code of Node's error. */
const BY_CODE: ReadonlyMap<string, readonly [status: number, detail: string]> = new Map([
  ['HPE_HEADER_OVERFLOW', [431, 'Request headers too large.']],
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'Request took too long to arrive.']],
]);
const HEADERS = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Connection: 'close' };

export type ClientErrorHandler = (error: NodeJS.ErrnoException, socket: Socket) => void;

/** @returns a handler that answers an invalid request, where an answer is safe, and closes the connection */
export const createClientErrorHandler =
  (log: Logger, responses: OpenResponses): ClientErrorHandler =>
  (error, socket) => {
    log.debug({ code: error.code }, 'client error');
    if (error.code !== 'ECONNRESET' && socket.writable && mayAnswer(socket, responses)) {
      const [status, detail] = BY_CODE.get(error.code ?? '') ?? [400, 'Malformed request.'];
      socket.write(rawResponse(status, detail));
    }
    socket.destroy();
  };

/**
 * Whether a client would read bytes that we send now as the response to its invalid request. If another response has
 * begun or is still to come, it would read them as a part of that one, or in its place.
 */
function mayAnswer(socket: Socket, responses: OpenResponses): boolean {
  const isPending = [...responses.on(socket)].some(({ headersSent, req }) => headersSent || req.complete);
  // Nor if the response was already sent and only the rest of the body is bad.
  const latest = responses.latestOn(socket);
  const isAnswered = latest?.headersSent === true && !latest.req.complete;
  return !isPending && !isAnswered;
}

/** Answers a request whose header `Expect` names an unknown expectation. Node's own response would lack our headers. */
export function answerUnknownExpectation(response: ServerResponse): void {
  const body = JSON.stringify({ detail: 'Expectation not supported.' });
  response.writeHead(417, { ...HEADERS, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

function rawResponse(status: number, detail: string): string {
  const body = JSON.stringify({ detail });
  const headers = Object.entries({ ...HEADERS, 'Content-Length': Buffer.byteLength(body) });
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
