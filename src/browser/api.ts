// The types of `latchkey/browser`, and the one error that it throws.

/** Where the refresh token is kept in the mode of a storage. `localStorage` is one, and so is an asynchronous one. */
export interface TokenStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

export interface SessionOptions {
  /** The origin of the gateway, such as `https://auth.example.com`. Default: the origin of the page. */
  readonly base?: string | undefined;
  /**
   * Where the refresh token is kept. `cookie`: in a cookie that no script can read; the gateway needs `REFRESH_COOKIE`.
   * `memory`: in this page alone, until it is closed or reloaded. A storage: every script of the origin can read it.
   */
  readonly mode: 'cookie' | 'memory' | TokenStorage;
  /** Origins whose requests get the access token, besides those of the page and of the gateway. */
  readonly origins?: readonly string[] | undefined;
}

/**
 * - `signedIn`: a session has begun, here or in another tab; or one was found at the first use.
 * - `refreshed`: there is a new access token.
 * - `signedOut`: the session has ended, by a logout here or in another tab, or because the gateway has refused it.
 * - `unavailable`: a request to the gateway failed. The session goes on; the next request is made later.
 */
export type SessionEvent = 'signedIn' | 'refreshed' | 'signedOut' | 'unavailable';

/** @param error why it is unavailable; undefined for all other events */
export type SessionListener = (error?: SessionError) => void;

/**
 * - `signed_out`: there is no session.
 * - `unavailable`: the gateway cannot be reached, or cannot answer now. The session goes on.
 * - `refused`: the gateway does not accept the request, whatever the token is: a setting is wrong. The session goes on.
 */
export type SessionErrorCode = 'signed_out' | 'unavailable' | 'refused';

export class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string = code, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** A session of this tab. All tabs of an origin and a gateway share one, except in the mode `memory`. */
export interface Session {
  /**
   * Begins a session.
   * @param refresh the refresh token of the login; undefined: the login has set the cookie
   * @throws SessionError also `signed_out` if the token is bad
   */
  signIn(refresh?: string): Promise<void>;
  /**
   * Fetches as `fetch` does, with the access token. After a 401 it refreshes once, and sends the request again.
   * @throws SessionError; TypeError for a URL whose origin must not get the token
   */
  fetch: typeof fetch;
  /**
   * An access token that has not expired.
   * @returns undefined if there is no session
   * @throws SessionError `unavailable` or `refused`
   */
  accessToken(): Promise<string | undefined>;
  /**
   * Ends the session, in all tabs.
   * @param options `all`: all sessions of the user, on all devices
   * @throws SessionError `unavailable` or `refused`: the session may go on, so try again; with `all` also `signed_out`:
   *   there is no session, or its token was refused, so the sessions on other devices go on
   */
  logout(options?: { readonly all?: boolean }): Promise<void>;
  /** @returns removes the listener */
  on(event: SessionEvent, listener: SessionListener): () => void;
  /** Stops listening to other tabs and to the page. The session goes on. */
  close(): void;
}
