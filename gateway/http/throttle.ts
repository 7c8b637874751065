// The rate limit as a hook: it counts requests by client, and sets the headers that show how many are left.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerAt } from '../../src/platform/caller-network.js';
import { clientAddressOf, type IsTrustedProxy } from '../limits/client-address.js';
import { RateCounter, type RateLimit } from '../limits/rate-limit.js';
import { HttpError, throttled } from './responses.js';

/** The name of the only policy in the headers below. */
const POLICY = '"default"';

/**
 * The headers follow draft-ietf-httpapi-ratelimit-headers-11.
 * @returns the hook. It throws HttpError 429 above the limit
 */
export function createThrottle(limit: RateLimit, isTrustedProxy: IsTrustedProxy, nowMs: () => number) {
  const counter = new RateCounter(limit, nowMs);
  const policy = `${POLICY};q=${limit.requests};w=${limit.windowMs / 1000}`;
  return (request: FastifyRequest, reply: FastifyReply): void => {
    if (isPreflight(request)) return;
    const client = clientOf(request, isTrustedProxy);
    const { allowed, remaining, resetSeconds } = counter.count(client);
    reply.headers({ 'ratelimit-policy': policy, ratelimit: `${POLICY};r=${remaining};t=${resetSeconds}` });
    if (allowed) return;
    request.throttled = client;
    throw new HttpError(throttled(resetSeconds));
  };
}

/** The browser sends preflights on its own, and a page never sees their responses. They do not count. */
const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;

const clientOf = ({ headers, socket }: FastifyRequest, isTrustedProxy: IsTrustedProxy): string => {
  const forwardedFor = headers['x-forwarded-for'];
  const source = clientAddressOf(
    socket.remoteAddress ?? '',
    typeof forwardedFor === 'string' ? forwardedFor : undefined,
    isTrustedProxy,
  );
  return callerAt(source) ?? 'unknown';
};
