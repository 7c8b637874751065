// The paths of the routes: the fixed ones, and the rules for those in settings.

import type { Environment } from '../../src/platform/env.js';

/** Paths that no setting may use. Without a trailing slash, as in the table of routes. */
export const KEY_SET_PATH = '/.well-known/jwks.json';
export const LIVENESS_PATH = '/healthz';
export const READINESS_PATH = '/readyz';
export const OPENAPI_PATH = '/openapi.json';
/** Where a session in cookie mode begins. Only there if REFRESH_COOKIE is set. */
export const SESSION_PATH = '/api/auth/session';
export const INTROSPECTION_PATH = '/oauth2/introspect';
export const REVOCATION_PATH = '/oauth2/revoke';
export const GLOBAL_REVOCATION_PATH = '/oauth2/global-token-revocation';
/** The revocation feed as an event stream. Only there if OAUTH_CLIENTS is set. */
export const REVOCATIONS_PATH = '/api/auth/revocations';
/** Every path below it is the same route: Envoy adds the path of the request that it asks about. */
export const CHECK_PATH = '/api/auth/check';

/** The paths from settings, each without a trailing slash. */
export interface RoutePaths {
  readonly refresh: readonly string[];
  readonly logout: readonly string[];
}

/** The defaults. Pages in cookie mode use these paths and no other. */
export const PAGE_PATHS = { REFRESH_PATHS: '/api/auth/token/refresh/', LOGOUT_PATHS: '/api/auth/logout/' };
/** Segments of characters that clients and proxies never encode (RFC 3986, section 2.3). Routers use `:` and `*`. */
const PATH = /^(?:\/[A-Za-z0-9._~-]+)+$/;
const MOST_CHARACTERS = 200;

/** Reads `REFRESH_PATHS` and `LOGOUT_PATHS`. The environment collects the errors. */
export function readPaths(environment: Environment): RoutePaths {
  const taken = new Map<string, string>();
  const read = (name: keyof typeof PAGE_PATHS): readonly string[] => {
    const paths = environment
      .text(name, { default: PAGE_PATHS[name] })
      .split(',')
      .map((path) => path.trim())
      .filter((path) => path !== '');
    if (paths.length === 0) environment.fault(name, 'no path', `at least one such as ${PAGE_PATHS[name]}`);
    return paths.map((path) => {
      const bare = withoutSlash(path);
      const wanted = faultOf(bare) ?? takenBy(taken.get(bare));
      if (wanted !== undefined) environment.fault(name, JSON.stringify(path), wanted);
      taken.set(bare, name);
      return bare;
    });
  };
  return { refresh: read('REFRESH_PATHS'), logout: read('LOGOUT_PATHS') };
}

/** A path without one trailing slash. Both forms are one route. */
export const withoutSlash = (path: string): string => path.replace(/(?<=.)\/$/, '');

/** What is wanted instead of a path; undefined if the path is valid. */
function faultOf(path: string): string | undefined {
  if (!path.startsWith('/')) return `a path that begins with a slash, such as /${path.replace(/^.*\//, '')}`;
  if (!PATH.test(path)) return 'a path of letters, digits and . _ ~ - between single slashes, without patterns';
  if (path.length > MOST_CHARACTERS) return `a path of at most ${MOST_CHARACTERS} characters`;
  // Clients and proxies remove these segments before they send a path.
  if (/\/\.\.?(?:\/|$)/.test(path)) return 'a path without the segments . and ..';
  if (path === LIVENESS_PATH || path === READINESS_PATH) return 'another path: the gateway has a probe there';
  if (path === OPENAPI_PATH) return 'another path: the gateway describes its routes there';
  if (path === CHECK_PATH || path.startsWith(`${CHECK_PATH}/`)) return 'another path: proxies ask the gateway there';
  if (path === REVOCATIONS_PATH) return 'another path: the gateway streams revocations there';
  if (path === '/oauth2' || path.startsWith('/oauth2/')) return 'another path: /oauth2 is for OAuth clients';
  if (path.startsWith('/.well-known')) return 'another path: /.well-known is for the key set and the like';
  return undefined;
}

const takenBy = (name: string | undefined): string | undefined =>
  name === undefined ? undefined : `another path: ${name} has this one already, with or without the trailing slash`;
