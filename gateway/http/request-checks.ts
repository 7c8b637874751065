// Checks of every request, whatever its route: HTTP version, Host header, number of headers, pipelined requests.

import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayLimits } from '../limits/limits.js';
import { badRequest, HttpError, headersTooLarge, throttled } from './responses.js';

const VERSIONS: ReadonlySet<string> = new Set(['1.0', '1.1']);

/** Whether `Host` is at an index of `rawHeaders`, which alternates names and values. Node's lists by name cost more. */
const isHostAt = (text: string, at: number): boolean =>
  at % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host';

/** @returns the check. It throws HttpError: 400, 429 or 431 */
export function createRequestChecks({ headers, pipelined }: GatewayLimits) {
  /** How many requests of a connection wait for their responses. */
  const waiting = new WeakMap<Socket, number>();
  return ({ raw }: FastifyRequest, reply: FastifyReply): void => {
    const before = waiting.get(raw.socket) ?? 0;
    waiting.set(raw.socket, before + 1);
    reply.raw.once('close', () => waiting.set(raw.socket, (waiting.get(raw.socket) ?? 1) - 1));
    if (before >= pipelined) {
      // Node drops the requests behind a response that ends the connection.
      reply.header('connection', 'close');
      throw new HttpError(throttled(1));
    }
    if (raw.rawHeaders.length > headers * 2) throw new HttpError(headersTooLarge);
    if (!VERSIONS.has(raw.httpVersion)) throw new HttpError(badRequest('HTTP version not supported.'));
    // RFC 9112, section 3.2: a proxy might use one Host header, and the server behind it the other.
    const hosts = raw.rawHeaders.filter(isHostAt).length;
    if (hosts > 1) throw new HttpError(badRequest('More than one Host header.'));
    if (hosts === 0 && raw.httpVersion === '1.1') throw new HttpError(badRequest('Host header is missing.'));
  };
}
