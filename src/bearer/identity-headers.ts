// The headers that carry the identity of an accepted token from a proxy to the server behind it.

/** What the headers say. */
export interface Identity {
  readonly subject: string;
  /** Empty: an adopted access token names no session. */
  readonly sessionId: string;
  /** When the token ends, Unix seconds. */
  readonly expiresAt: number;
}

/** The names by convention: our own, Authelia's, oauth2-proxy's. */
export const CONVENTIONS = ['latchkey', 'remote-user', 'x-auth-request'] as const;
export type Convention = (typeof CONVENTIONS)[number];

/**
 * By convention, the name of each header and its value. A header without a value is empty, and never absent: so a copy
 * always overwrites what the client has sent.
 */
const HEADERS: Readonly<Record<Convention, Readonly<Record<string, (identity: Identity) => string>>>> = {
  latchkey: {
    'x-latchkey-subject': ({ subject }) => encodeValue(subject),
    'x-latchkey-session': ({ sessionId }) => sessionId,
    'x-latchkey-expires': ({ expiresAt }) => String(expiresAt),
  },
  'remote-user': {
    'remote-user': ({ subject }) => encodeValue(subject),
    'remote-groups': () => '',
    'remote-name': () => '',
    'remote-email': () => '',
  },
  'x-auth-request': {
    'x-auth-request-user': ({ subject }) => encodeValue(subject),
    'x-auth-request-email': () => '',
    'x-auth-request-groups': () => '',
    'x-auth-request-preferred-username': () => '',
  },
};

/** The identity headers of some conventions, and the aliases of their names. */
export class IdentityHeaders {
  readonly #valueOf: readonly (readonly [string, (identity: Identity) => string])[];
  readonly #names: ReadonlySet<string>;
  readonly #lengths: ReadonlySet<number>;

  constructor(conventions: readonly Convention[]) {
    this.#valueOf = [...new Set(conventions)].flatMap((convention) => Object.entries(HEADERS[convention]));
    this.#names = new Set(this.#valueOf.map(([name]) => name));
    this.#lengths = new Set(this.#valueOf.map(([name]) => name.length));
  }

  /** The headers, names in lower case. */
  for(identity: Identity): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#valueOf.map(([name, value]) => [name, value(identity)]));
  }

  /**
   * The request headers that a server could take for one of these: CGI and WSGI servers replace every character of a
   * name that is neither a letter nor a digit by `_`.
   * @param names header names as received
   */
  aliasesAmong(names: readonly string[]): readonly string[] {
    return names.filter((name) => {
      // An alias is as long as the name. Most headers are not, and are done with here.
      if (!this.#lengths.has(name.length)) return false;
      const lower = name.toLowerCase();
      return !this.#names.has(lower) && this.#names.has(lower.replace(/[^a-z0-9]/g, '-'));
    });
  }
}

/**
 * A value that every server accepts in a header, and from which `decodeURIComponent` restores the text: all but visible
 * ASCII, and `%`, is percent-encoded as UTF-8. @param text without lone surrogates
 */
export const encodeValue = (text: string): string => text.replace(/[^!-$&-~]/gu, (one) => encodeURIComponent(one));
