// Cookie mode: session, refresh and logout for pages, with the refresh token in a cookie that no script can read.

import type { IncomingHttpHeaders } from 'node:http';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { missingCredentials } from '../../src/bearer/refusals.js';
import type { AuthClient } from '../auth-client.js';
import type { Fields } from '../http/body.js';
import { csrfFault, localhostFault, MODE_HEADER } from '../http/csrf.js';
import { FieldReader } from '../http/fields.js';
import { responseToFailure } from '../http/grpc-to-http.js';
import {
  COOKIE_TOKEN_CHARACTERS,
  clearCookie,
  cookieName,
  findCookie,
  type RefreshCookie,
  storeCookie,
} from '../http/refresh-cookie.js';
import { badFields, badRequest, csrfFailed, HttpError, type HttpResponse, ok } from '../http/responses.js';
import { type CallContext, RpcError } from '../service-connection.js';
import { readBearer } from './logout.js';

export interface CookieModeSettings {
  readonly cookie: RefreshCookie;
  /** The origins in CORS_ORIGINS. */
  readonly origins: readonly string[];
  /** The time for Max-Age, Unix ms. */
  readonly unixMs: () => number;
}

/** A request in cookie mode. */
export interface PageRequest {
  readonly headers: IncomingHttpHeaders;
  readonly fields: Fields;
}

/** Whether a request asks for cookie mode. @throws HttpError 400 if it asks for another mode */
export function asksForCookie(headers: IncomingHttpHeaders): boolean {
  const mode = headers[MODE_HEADER];
  if (mode !== undefined && mode !== 'cookie') throw new HttpError(badRequest('X-Latchkey-Mode must be "cookie".'));
  return mode !== undefined;
}

/** The response to a request for cookie mode where the gateway has none. */
export const cookieModeIsOff: HttpResponse = badRequest('Cookie mode is off: set REFRESH_COOKIE on the gateway.');

/** The handlers. Each throws HttpError or RpcError. */
export class CookieMode {
  readonly #client: AuthClient;
  readonly #settings: CookieModeSettings;

  constructor(client: AuthClient, settings: CookieModeSettings) {
    this.#client = client;
    this.#settings = settings;
  }

  /** Trades the refresh token of a login, which is in the body, for an access token and the cookie. */
  async session({ headers, fields }: PageRequest, context: CallContext): Promise<HttpResponse> {
    this.#checkPage(headers);
    const reader = new FieldReader(fields);
    const token = reader.text('refresh', { required: true }) ?? '';
    reader.check();
    if (token.length > COOKIE_TOKEN_CHARACTERS) {
      const fault = `Ensure this field has no more than ${COOKIE_TOKEN_CHARACTERS} characters: a cookie holds no more.`;
      throw new HttpError(badFields({ refresh: [fault] }));
    }
    return this.#answer(await this.#client.refresh(token, context));
  }

  /** Trades the token in the cookie. The cookie is removed if the service refuses the token, and only then. */
  async refresh({ headers, fields }: PageRequest, context: CallContext): Promise<HttpResponse> {
    this.#checkPage(headers);
    const token = this.#tokenOf(headers, fields);
    // Nothing is removed: the cookie of a login that is under way may arrive just before this response.
    if (token === undefined) return missingCredentials;
    return this.#answer(await this.#clearing(this.#client.refresh(token, context)));
  }

  /** Ends the session of the cookie, of a bearer token, or of both, and removes the cookie unless the call failed. */
  async logout({ headers, fields }: PageRequest, context: CallContext): Promise<HttpResponse> {
    this.#checkPage(headers);
    const refreshToken = this.#tokenOf(headers, fields);
    const accessToken = readBearer(headers.authorization) ?? '';
    const reader = new FieldReader(fields);
    const allSessions = reader.flag('all_sessions');
    reader.check();
    if (refreshToken === undefined && accessToken === '') return this.#cleared(missingCredentials);
    await this.#clearing(this.#client.logout({ accessToken, refreshToken: refreshToken ?? '', allSessions }, context));
    return this.#cleared(ok({}));
  }

  /** @throws HttpError 403 */
  #checkPage(headers: IncomingHttpHeaders): void {
    const { host, origin } = headers;
    const site = headers['sec-fetch-site'];
    if (!asksForCookie(headers)) throw new HttpError(csrfFailed('The header X-Latchkey-Mode: cookie is missing.'));
    const { cookie, origins } = this.#settings;
    const fault =
      (cookie === 'localhost' ? localhostFault(host) : undefined) ??
      csrfFault({ site: typeof site === 'string' ? site : undefined, origin, host }, origins);
    if (fault !== undefined) throw new HttpError(csrfFailed(fault));
  }

  /** @returns undefined if there is no cookie @throws HttpError 400 */
  #tokenOf(headers: IncomingHttpHeaders, fields: Fields): string | undefined {
    if (fields.values.has('refresh')) {
      throw new HttpError(
        badFields({ refresh: ['In cookie mode the token comes in the cookie: leave this field out.'] }),
      );
    }
    const { cookie } = this.#settings;
    const found = findCookie(cookie, headers.cookie);
    if (found.kind === 'several') {
      const text = `More than one cookie ${cookieName(cookie)}: another host of this domain has set one.`;
      throw new HttpError(badRequest(text));
    }
    return found.kind === 'one' ? found.token : undefined;
  }

  #answer(pair: TokenPair | undefined): HttpResponse {
    if (!pair?.accessToken || !pair.refreshToken) throw new Error('the service answered a refresh without a pair');
    const { cookie, unixMs } = this.#settings;
    const leftSeconds = pair.refreshExpiresAt - Math.floor(unixMs() / 1000);
    return {
      ...ok({ access: pair.accessToken }),
      headers: { 'set-cookie': storeCookie(cookie, pair.refreshToken, leftSeconds) },
    };
  }

  /** Waits for a call. If it fails because the token is bad, the response removes the cookie. */
  async #clearing<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const { response } = responseToFailure(error);
      throw response.status === 401 ? new HttpError(this.#cleared(response)) : error;
    }
  }

  #cleared(response: HttpResponse): HttpResponse {
    return { ...response, headers: { ...response.headers, 'set-cookie': clearCookie(this.#settings.cookie) } };
  }
}
