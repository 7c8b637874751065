// The cookie that holds the refresh token (RFC 6265bis): its name, its attributes, and how it is read from a request.

/**
 * How the cookie is named and limited. `true`: sent to /api/auth/ of this host alone. `host`: with the prefix
 * `__Host-`, which no sibling subdomain can set, but sent to every path. `localhost`: for development without TLS.
 */
export type RefreshCookie = 'true' | 'host' | 'localhost';

/** What a request has in the place of the cookie. */
export type CookieFound =
  | { readonly kind: 'one'; readonly token: string }
  | { readonly kind: 'none' }
  /** A sibling subdomain can add a cookie of the same name, and a request does not show which is whose. */
  | { readonly kind: 'several' };

interface CookieForm {
  readonly name: string;
  readonly attributes: string;
}

/** The path of all routes that take the cookie. */
const PATH = '/api/auth/';

const FORMS: Readonly<Record<RefreshCookie, CookieForm>> = {
  true: { name: '__Secure-lk-refresh', attributes: `HttpOnly; Secure; SameSite=Strict; Path=${PATH}` },
  host: { name: '__Host-lk-refresh', attributes: 'HttpOnly; Secure; SameSite=Strict; Path=/' },
  // Safari stores no cookie with `Secure` from http://localhost, and every browser requires it of names with a prefix.
  localhost: { name: 'lk-refresh', attributes: `HttpOnly; SameSite=Strict; Path=${PATH}` },
};

/**
 * The longest refresh token that a session may begin with, in characters. Browsers drop a cookie whose name and value
 * have more than 4096 bytes together; a token grows by less than 1 KiB in all its refreshes.
 */
export const COOKIE_TOKEN_CHARACTERS = 3072;

export const cookieName = (cookie: RefreshCookie): string => FORMS[cookie].name;

/**
 * The value of `Set-Cookie` that stores a token.
 * @param token in base64url and dots, which need no quotes
 * @param maxAgeSeconds how long the browser keeps it; a negative number counts as 0
 */
export function storeCookie(cookie: RefreshCookie, token: string, maxAgeSeconds: number): string {
  const { name, attributes } = FORMS[cookie];
  return `${name}=${token}; ${attributes}; Max-Age=${Math.max(0, maxAgeSeconds)}`;
}

/** The value of `Set-Cookie` that removes the cookie. */
export const clearCookie = (cookie: RefreshCookie): string => storeCookie(cookie, '', 0);

/**
 * Finds the cookie in a request. A name counts only to the letter: with white space removed as `trim` does, a name that
 * begins with U+00A0 would pass for one with a prefix, which browsers protect (RFC 6265bis, section 4.1.3).
 * @param header all `Cookie` headers, joined by semicolons as Node joins them
 */
export function findCookie(cookie: RefreshCookie, header = ''): CookieFound {
  const name = cookieName(cookie);
  const [token, ...others] = header.split(';').flatMap((pair) => {
    const [found, value] = split(pair);
    return found === name ? [value] : [];
  });
  if (others.length > 0) return { kind: 'several' };
  return token === undefined || token === '' ? { kind: 'none' } : { kind: 'one', token };
}

/** The name and the value of one pair, without blanks and tabs around them. */
function split(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  return equals < 0 ? ['', bare(pair)] : [bare(pair.slice(0, equals)), bare(pair.slice(equals + 1))];
}

const isBlank = (character: string): boolean => character === ' ' || character === '\t';

// No regular expression: one that is anchored at the end takes quadratic time on white space within the text.
function bare(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charAt(start))) start++;
  while (end > start && isBlank(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
