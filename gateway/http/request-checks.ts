// Owns what is asked of every request, whatever its route: a version that we speak, one host, and no more headers, and
// no more requests at once on its connection, than there may be.

import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayLimits } from '../limits/limits.js';
import { badRequest, headersTooLarge, Refusal, throttled } from './responses.js';

const VERSIONS: ReadonlySet<string> = new Set(['1.0', '1.1']);

/** Of names and values in turn. Node's own lists by name are made of all headers. */
const isNameOfHost = (text: string, at: number): boolean =>
  at % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host';

/** A check of requests as they come. It throws Refusal: 400, 429 or 431. */
export function createAdmission({ headers, pipelined }: GatewayLimits) {
  /** How many requests of a connection wait for their answers. */
  const waiting = new WeakMap<Socket, number>();
  return ({ raw }: FastifyRequest, reply: FastifyReply): void => {
    const before = waiting.get(raw.socket) ?? 0;
    waiting.set(raw.socket, before + 1);
    reply.raw.once('close', () => waiting.set(raw.socket, (waiting.get(raw.socket) ?? 1) - 1));
    if (before >= pipelined) {
      // Node drops what is behind an answer that ends the connection.
      reply.header('connection', 'close');
      throw new Refusal(throttled(1));
    }
    if (raw.rawHeaders.length > headers * 2) throw new Refusal(headersTooLarge);
    if (!VERSIONS.has(raw.httpVersion)) throw new Refusal(badRequest('HTTP version not supported.'));
    // RFC 9112, section 3.2: a proxy might go by one host, and what is behind it by the other.
    const hosts = raw.rawHeaders.filter(isNameOfHost).length;
    if (hosts > 1) throw new Refusal(badRequest('More than one Host header.'));
    if (hosts === 0 && raw.httpVersion === '1.1') throw new Refusal(badRequest('Host header is missing.'));
  };
}
