// Owns the gateway's settings: where it listens, whom it calls, which origins may call it, and its limits.

import type { Address, Environment } from '../src/env.js';
import { type ClientTls, readClientTls } from '../src/tls/settings.js';

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
  /** How often the times above are enforced. */
  readonly checkEveryMs: number;
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
  checkEveryMs: 1_000,
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
  return { httpAddress, authServiceAddress, authServiceTls, corsOrigins, limits: GATEWAY_LIMITS };
}

/**
 * Whether a text is an origin to the letter, as browsers send it: they are compared as texts, so one with a path or in
 * upper case would never match. `null` is no origin: any sandboxed page has it. Apps have schemes of their own.
 */
function isOrigin(text: string): boolean {
  if (/^https?:/.test(text)) return URL.canParse(text) && new URL(text).origin === text;
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(:\d{1,5})?$/.test(text);
}
