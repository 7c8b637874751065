// Owns the gateway's settings: where it listens, whom it calls, who may call it and how often, and its limits.

import { type Address, type Environment, parseDuration } from '../src/env.js';
import { type ClientTls, readClientTls } from '../src/tls/settings.js';
import { isAddressOrBlock } from './client-address.js';
import type { RateLimit } from './rate-limit.js';

/** Bounds on what one client can take. All times in ms. */
export interface GatewayLimits {
  /** The most bytes of a request's body; two tokens of 8 KiB do not fit, one and its frame do. */
  readonly bodyBytes: number;
  /** How long one call of the service may take. Under a second, so that a client hears of an outage within one. */
  readonly callMs: number;
  /** How long the headers of a request may take to arrive. */
  readonly headersMs: number;
  /** How long a whole request may take to arrive. */
  readonly requestMs: number;
  /** How long an idle connection is kept; above the 60 s of common load balancers, so that they end it, not we. */
  readonly keepAliveMs: number;
  /** How long nothing may move on a connection while something is under way: the client does not read, for one. */
  readonly stalledMs: number;
  /** How often the times above are enforced. */
  readonly checkEveryMs: number;
  /** The most headers of a request. Node drops those beyond its own limit without a word, a proxy's among them. */
  readonly headers: number;
  /** The most requests of one connection that wait for their answers. Browsers and proxies send one after the other. */
  readonly pipelined: number;
  /** The most connections at once; more are closed unanswered. */
  readonly connections: number;
  /** How long requests under way may take to finish once the gateway is told to stop. */
  readonly stopMs: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  bodyBytes: 16 * 1024,
  callMs: 900,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 65_000,
  stalledMs: 15_000,
  checkEveryMs: 1_000,
  headers: 100,
  pipelined: 16,
  connections: 4_096,
  stopMs: 5_000,
};

/** What a gateway is made of. */
export interface GatewaySettings {
  readonly httpAddress: Address;
  /** The gRPC address of the service. */
  readonly authServiceAddress: Address;
  /** How the service is called; undefined: in plain text. */
  readonly authServiceTls?: ClientTls | undefined;
  /** Origins (RFC 6454) whose pages may call: `https://app.example.com`. */
  readonly corsOrigins: readonly string[];
  /** How often one client may ask; undefined: as often as it likes. */
  readonly rateLimit: RateLimit | undefined;
  /** Addresses and CIDR blocks of proxies whose `X-Forwarded-For` is believed; nobody else's is. */
  readonly trustProxy: readonly string[];
  readonly limits: GatewayLimits;
}

/** Reads the settings; faults are left with the environment, for its `check`. */
export function readGatewaySettings(environment: Environment): GatewaySettings {
  const httpAddress = environment.address('HTTP_ADDRESS', '127.0.0.1:8080');
  const authServiceAddress = environment.address('AUTH_SERVICE_ADDRESS', '127.0.0.1:50051');
  if (authServiceAddress.port === 0) {
    environment.fault('AUTH_SERVICE_ADDRESS', 'port 0', 'the port that the service listens on');
  }
  const corsOrigins = environment.list('CORS_ORIGINS');
  for (const origin of corsOrigins.filter((each) => !isOrigin(each))) {
    environment.fault(
      'CORS_ORIGINS',
      JSON.stringify(origin),
      'origins such as https://app.example.com, none of them *',
    );
  }
  const authServiceTls = readClientTls(environment);
  const rateLimit = readRateLimit(environment);
  const trustProxy = environment.list('TRUST_PROXY');
  for (const proxy of trustProxy.filter((each) => !isAddressOrBlock(each))) {
    environment.fault('TRUST_PROXY', JSON.stringify(proxy), 'addresses or CIDR blocks such as 10.0.0.0/8 or ::1');
  }
  const limits = GATEWAY_LIMITS;
  return { httpAddress, authServiceAddress, authServiceTls, corsOrigins, rateLimit, trustProxy, limits };
}

const MOST_REQUESTS = 1_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;

function readRateLimit(environment: Environment): RateLimit | undefined {
  const text = environment.text('RATE_LIMIT');
  if (text === undefined) return undefined;
  const [, count, window = ''] = /^(\d{1,7})\/(\w+)$/.exec(text) ?? [];
  const requests = Number(count);
  const windowMs = parseDuration(window) ?? 0;
  // The headers that tell of it know whole seconds alone.
  if (requests >= 1 && requests <= MOST_REQUESTS && windowMs >= 1000 && windowMs <= DAY_MS && windowMs % 1000 === 0) {
    return { requests, windowMs };
  }
  const wanted = `requests a window such as 100/10s: 1 to ${MOST_REQUESTS}, the window in whole seconds, at most 1d`;
  environment.fault('RATE_LIMIT', JSON.stringify(text), wanted);
  return undefined;
}

/**
 * Whether a text is an origin to the letter, as browsers send it: they are compared as texts, so one with a path or in
 * upper case would never match. `null` is no origin: any sandboxed page has it. Apps have schemes of their own.
 */
function isOrigin(text: string): boolean {
  if (/^https?:/.test(text)) return URL.canParse(text) && new URL(text).origin === text;
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(:\d{1,5})?$/.test(text);
}
