// Cross-origin requests (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol): the allowed origins and headers.

import type { FastifyCorsOptions } from '@fastify/cors';
import type { Environment } from '../../src/platform/env.js';

/** The origins whose pages may call, and the headers that they may send. */
export interface CorsSettings {
  /** Origins (RFC 6454), compared exactly: `https://app.example.com`. */
  readonly origins: readonly string[];
  /** Request headers that pages may send besides HEADERS, in lower case. */
  readonly headers: readonly string[];
  /** Whether pages may use the credentials mode `include`, as axios does with `withCredentials`. */
  readonly credentials: boolean;
}

/**
 * Request headers that pages commonly send: their own, those of HTTP libraries, and those that tracing adds to every
 * request. A preflight fails as a whole if it names one header that is not allowed.
 */
const HEADERS = [
  // Safelisted by Fetch, but not for every value.
  ...['accept', 'accept-language', 'content-language', 'content-type'],
  ...['authorization', 'cache-control', 'pragma', 'if-none-match', 'idempotency-key'],
  // Django's, axios', Angular's and jQuery's.
  ...['x-csrftoken', 'x-csrf-token', 'x-xsrf-token', 'x-requested-with'],
  ...['x-request-id', 'x-correlation-id'],
  // W3C Trace Context and Baggage, Sentry, Zipkin (B3), Datadog, AWS X-Ray, New Relic, Application Insights.
  ...['traceparent', 'tracestate', 'baggage', 'sentry-trace'],
  ...['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags'],
  ...['x-datadog-trace-id', 'x-datadog-parent-id', 'x-datadog-origin', 'x-datadog-sampling-priority', 'x-datadog-tags'],
  ...['x-amzn-trace-id', 'newrelic', 'request-id', 'request-context'],
];

const EXPOSED = ['Retry-After', 'X-Request-Id', 'WWW-Authenticate', 'RateLimit', 'RateLimit-Policy'];
const PREFLIGHT_SECONDS = 600;
/** A token of RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;

/**
 * Reads `CORS_ORIGINS`, `CORS_HEADERS` and `CORS_CREDENTIALS`. The environment collects the errors.
 * @param own headers that the gateway itself asks pages for, in lower case
 */
export function readCors(environment: Environment, own: readonly string[] = []): CorsSettings {
  const origins = environment.list('CORS_ORIGINS');
  for (const origin of origins.filter((each) => !isOrigin(each))) {
    const wanted = 'origins such as https://app.example.com, none of them *';
    environment.fault('CORS_ORIGINS', JSON.stringify(origin), wanted);
  }
  const headers = environment.list('CORS_HEADERS');
  for (const name of headers.filter((each) => each === '*' || !HEADER_NAME.test(each))) {
    const wanted = 'names of headers such as X-App-Version, none of them *';
    environment.fault('CORS_HEADERS', JSON.stringify(name), wanted);
  }
  const credentials = environment.flag('CORS_CREDENTIALS', false);
  return { origins, headers: [...own, ...headers.map((name) => name.toLowerCase())], credentials };
}

/** The options of @fastify/cors for all routes but the public ones. */
export function corsOptions({ origins, headers, credentials }: CorsSettings): FastifyCorsOptions {
  const common = {
    credentials,
    methods: ['POST'],
    allowedHeaders: [...new Set([...HEADERS, ...headers])],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  };
  // Without origins a response is the same for every origin: it has no CORS header, and `Vary` does not name `Origin`.
  if (origins.length === 0) return { ...common, origin: false };
  return {
    ...common,
    // A function, because with a list the plugin adds some CORS headers even for an origin that is not on the list.
    origin: (origin, callback) => callback(null, origin !== undefined && origins.includes(origin) ? origin : false),
  };
}

/** The options for public routes: every origin, without credentials. Browsers reject credentials together with `*`. */
export function publicCors({ headers }: CorsSettings): FastifyCorsOptions {
  return {
    origin: '*',
    credentials: false,
    methods: ['GET', 'HEAD'],
    // The wildcard does not include Authorization. Browsers that do not know the wildcard use the names.
    allowedHeaders: ['*', ...new Set([...HEADERS, ...headers])],
    exposedHeaders: [...EXPOSED, 'ETag'],
  };
}

/**
 * Whether a text is an origin exactly as browsers send it. Origins are compared as text, so one with a path or in upper
 * case would never match. `null` is not accepted, because every sandboxed page sends it. Apps use schemes of their own.
 */
function isOrigin(text: string): boolean {
  if (/^https?:/.test(text)) return URL.canParse(text) && new URL(text).origin === text;
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(:\d{1,5})?$/.test(text);
}
