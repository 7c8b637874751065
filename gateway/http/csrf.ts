// The check that a request in cookie mode comes from an allowed page, and not from another site's (CSRF).

/** The request header that asks for cookie mode. A form, an image or a link cannot send it. */
export const MODE_HEADER = 'x-latchkey-mode';

/** The headers that decide. A browser sets all of them itself; no page can. */
export interface PageHeaders {
  /** `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header). */
  readonly site: string | undefined;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

const NO_SITE =
  'Sec-Fetch-Site must be same-origin, same-site or cross-site. Browsers send it over HTTPS and to localhost.';
const NOT_LISTED = 'The page has another origin, which is not in CORS_ORIGINS.';
const OTHER_HOST =
  'Origin is neither of the host in the Host header nor in CORS_ORIGINS. A proxy must pass the Host header on.';
const NOT_LOCAL = 'REFRESH_COOKIE=localhost is for http://localhost alone. Set true or host, and serve over HTTPS.';

/**
 * Why a request may not use the cookie; undefined: it may.
 * @param origins the origins in CORS_ORIGINS
 */
export function csrfFault({ site, origin, host }: PageHeaders, origins: readonly string[]): string | undefined {
  const isListed = origin !== undefined && origins.includes(origin);
  switch (site) {
    case 'same-origin':
      return origin === undefined || isListed || isOriginOf(origin, host) ? undefined : OTHER_HOST;
    case 'same-site':
    case 'cross-site':
      return isListed ? undefined : NOT_LISTED;
    default:
      return NO_SITE;
  }
}

/** Why a request may not use the cookie of development, which is sent in plain text; undefined: it may. */
export const localhostFault = (host: string | undefined): string | undefined =>
  LOCAL_HOST.test(host ?? '') ? undefined : NOT_LOCAL;

const LOCAL_HOST = /^(?:(?:[a-z\d-]+\.)*localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;
/** A host and a port, without what a URL may have beside them. */
const HOST = /^[\w.:[\]-]+$/;

/** Whether an origin is that of a host. The scheme is not compared: a proxy may have ended TLS. */
function isOriginOf(origin: string, host = ''): boolean {
  if (!/^https?:/.test(origin) || !URL.canParse(origin) || !HOST.test(host)) return false;
  const { protocol, host: expected } = new URL(origin);
  const own = `${protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === expected;
}
