// The settings of the gateway: addresses, paths, CORS, trusted proxies and limits.

import { type Address, type Environment, parseDuration, type Secret } from '../src/platform/env.js';
import { readRevokerToken } from '../src/settings/issuer.js';
import { CLIENT_RIGHTS, type ClientRight, readClientsFile } from '../src/settings/oauth-clients.js';
import { readIdentityHeaders } from '../src/settings/proxies.js';
import { type ClientTls, readClientTls } from '../src/settings/tls.js';
import { type CorsSettings, readCors } from './http/cors.js';
import { MODE_HEADER } from './http/csrf.js';
import type { RefreshCookie } from './http/refresh-cookie.js';
import { isAddressOrBlock } from './limits/client-address.js';
import { GATEWAY_LIMITS, type GatewayLimits } from './limits/limits.js';
import type { RateLimit } from './limits/rate-limit.js';
import { type PublicUrls, readPublicUrls } from './oauth/public-urls.js';
import type { CheckSettings } from './routes/check.js';
import { PAGE_PATHS, type RoutePaths, readPaths, SESSION_PATH, withoutSlash } from './routes/paths.js';

/** The settings for OAuth clients. */
export interface OAuthSettings {
  /** The path of the file with the clients. */
  readonly clientsFile: string;
  /** The rights that the file may give. */
  readonly rights: readonly ClientRight[];
  /** `iss` of our tokens, if it is known here. */
  readonly issuer: string | undefined;
  /** Undefined: there is no metadata. */
  readonly urls: PublicUrls | undefined;
  /** The credential for RevokeSubject; undefined: there is no global token revocation. */
  readonly revokerToken: Secret | undefined;
}

/** The settings of a gateway. */
export interface GatewaySettings {
  readonly httpAddress: Address;
  /** The gRPC address of the service. */
  readonly authServiceAddress: Address;
  /** The gRPC address of IssuerService, if that is another one. */
  readonly issuerAddress?: Address | undefined;
  /** TLS to the service; undefined: plain text. */
  readonly authServiceTls?: ClientTls | undefined;
  readonly cors: CorsSettings;
  readonly paths: RoutePaths;
  readonly check: CheckSettings;
  /** Undefined: cookie mode is off. */
  readonly refreshCookie: RefreshCookie | undefined;
  /** Undefined: there are no routes for OAuth clients. */
  readonly oauth: OAuthSettings | undefined;
  /** Undefined: no limit. */
  readonly rateLimit: RateLimit | undefined;
  /** Addresses and CIDR blocks of proxies whose `X-Forwarded-For` is trusted. It is ignored from all others. */
  readonly trustProxy: readonly string[];
  readonly limits: GatewayLimits;
}

/** Reads the settings. The environment collects the errors, for its `check`. */
export function readGatewaySettings(environment: Environment): GatewaySettings {
  const httpAddress = environment.address('HTTP_ADDRESS', '127.0.0.1:8080');
  const authServiceAddress = environment.address('AUTH_SERVICE_ADDRESS', '127.0.0.1:50051');
  if (authServiceAddress.port === 0) {
    environment.fault('AUTH_SERVICE_ADDRESS', 'port 0', 'the port that the service listens on');
  }
  const issuerAddress = environment.address('ISSUER_ADDRESS');
  const paths = readPaths(environment);
  const refreshCookie = readRefreshCookie(environment, paths);
  const cors = readCors(environment, refreshCookie ? [MODE_HEADER] : []);
  const check = readCheck(environment);
  const oauth = readOAuth(environment);
  const authServiceTls = readClientTls(environment);
  const rateLimit = readRateLimit(environment);
  const trustProxy = environment.list('TRUST_PROXY');
  for (const proxy of trustProxy.filter((each) => !isAddressOrBlock(each))) {
    environment.fault('TRUST_PROXY', JSON.stringify(proxy), 'addresses or CIDR blocks such as 10.0.0.0/8 or ::1');
  }
  const limits = { ...GATEWAY_LIMITS, ...readConnectionLimits(environment) };
  return {
    ...{ httpAddress, authServiceAddress, issuerAddress, authServiceTls, cors, paths, refreshCookie, check, oauth },
    ...{ rateLimit, trustProxy, limits },
  };
}

function readRefreshCookie(environment: Environment, paths: RoutePaths): RefreshCookie | undefined {
  const cookie = environment.choice('REFRESH_COOKIE', ['false', 'true', 'host', 'localhost'], 'false');
  if (cookie === 'false') return undefined;
  for (const [name, path, all] of [
    ['REFRESH_PATHS', PAGE_PATHS.REFRESH_PATHS, paths.refresh],
    ['LOGOUT_PATHS', PAGE_PATHS.LOGOUT_PATHS, paths.logout],
  ] as const) {
    if (!all.includes(withoutSlash(path)))
      environment.fault(name, `no ${path}`, 'that path too, because REFRESH_COOKIE is set');
    if (all.includes(SESSION_PATH))
      environment.fault(name, `${SESSION_PATH}/`, 'another path: REFRESH_COOKIE uses this one');
  }
  if (cookie === 'localhost') {
    environment.warn(
      'REFRESH_COOKIE',
      'on localhost the cookie travels in plain text, and only pages of localhost get one',
    );
  }
  return cookie;
}

const HOUR_MS = 60 * 60 * 1000;

const readCheck = (environment: Environment): CheckSettings => ({
  maxStalenessMs: environment.duration('CHECK_MAX_STALENESS', '0s', { min: 0, max: HOUR_MS }),
  identityHeaders: readIdentityHeaders(environment),
});

function readOAuth(environment: Environment): OAuthSettings | undefined {
  const clientsFile = environment.text('OAUTH_CLIENTS');
  const issuer = environment.text('JWT_ISSUER');
  const urls = readPublicUrls(environment, issuer);
  const revokerToken = readRevokerToken(environment);
  if (clientsFile === undefined) return undefined;
  const rights = CLIENT_RIGHTS.filter((right) => right !== 'global_revocation' || revokerToken !== undefined);
  const found = readClientsFile(clientsFile, rights);
  const wanted = 'a file of OAuth clients; `latchkey oauth client` prints an entry for it';
  if ('faults' in found) environment.fault('OAUTH_CLIENTS', found.faults.join('; '), wanted);
  return { clientsFile, rights, issuer, urls, revokerToken };
}

const MOST_CONNECTIONS = 1_000_000;

function readConnectionLimits(environment: Environment): Pick<GatewayLimits, 'connections' | 'connectionsPerAddress'> {
  const { connections, connectionsPerAddress } = GATEWAY_LIMITS;
  const bounds = { min: 1, max: MOST_CONNECTIONS };
  return {
    connections: environment.count('HTTP_MAX_CONNECTIONS', connections, bounds),
    connectionsPerAddress: environment.count('HTTP_MAX_CONNECTIONS_PER_ADDRESS', connectionsPerAddress, bounds),
  };
}

const MOST_REQUESTS = 1_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;

function readRateLimit(environment: Environment): RateLimit | undefined {
  const text = environment.text('RATE_LIMIT');
  if (text === undefined) return undefined;
  const [, count, window = ''] = /^(\d{1,7})\/(\w+)$/.exec(text) ?? [];
  const requests = Number(count);
  const windowMs = parseDuration(window) ?? 0;
  // The RateLimit headers have whole seconds only.
  if (requests >= 1 && requests <= MOST_REQUESTS && windowMs >= 1000 && windowMs <= DAY_MS && windowMs % 1000 === 0) {
    return { requests, windowMs };
  }
  const wanted = `requests a window such as 100/10s: 1 to ${MOST_REQUESTS}, the window in whole seconds, at most 1d`;
  environment.fault('RATE_LIMIT', JSON.stringify(text), wanted);
  return undefined;
}
