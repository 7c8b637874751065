// The throttle of requests: which of them count, for which client, and the headers that say how many are left.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerAt } from '../../src/address-network.js';
import { sourceOf, type TrustsProxy } from '../limits/client-address.js';
import { RateCounter, type RateLimit } from '../limits/rate-limit.js';
import { Refusal, throttled } from './responses.js';

/** What the policy is called in the headers below: there is one. */
const POLICY = '"default"';

/**
 * A hook that counts a request and tells what is left, by the headers of draft-ietf-httpapi-ratelimit-headers-11.
 * @returns the hook; it throws Refusal 429 for a request too many
 */
export function createThrottle(limit: RateLimit, trusts: TrustsProxy, nowMs: () => number) {
  const counter = new RateCounter(limit, nowMs);
  const policy = `${POLICY};q=${limit.requests};w=${limit.windowMs / 1000}`;
  return (request: FastifyRequest, reply: FastifyReply): void => {
    if (isPreflight(request)) return;
    const client = clientOf(request, trusts);
    const { allowed, remaining, resetSeconds } = counter.count(client);
    reply.headers({ 'ratelimit-policy': policy, ratelimit: `${POLICY};r=${remaining};t=${resetSeconds}` });
    if (allowed) return;
    request.throttled = client;
    throw new Refusal(throttled(resetSeconds));
  };
}

/** The browser sends these on its own, and a page never sees their answers. */
const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;

const clientOf = ({ headers, socket }: FastifyRequest, trusts: TrustsProxy): string => {
  const forwardedFor = headers['x-forwarded-for'];
  const source = sourceOf(
    socket.remoteAddress ?? '',
    typeof forwardedFor === 'string' ? forwardedFor : undefined,
    trusts,
  );
  return callerAt(source) ?? 'unknown';
};
