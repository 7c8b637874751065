// One request to the gateway, and what its answer means: a result, a refused token, or a failure.

import { SessionError } from './api.js';
import { TIMEOUT_MS } from './times.js';

/**
 * What has become of a request. Neither a result nor an error: the gateway has refused the token. The least time before
 * the next request is as the gateway wants it; NaN or undefined: it has not said.
 */
export type Outcome<T> = readonly [result?: T | undefined, error?: SessionError, retryAfterMs?: number];

/** The form fields of a request. */
export type Fields = Readonly<Record<string, string>>;

/** The JSON of an answer, as far as it is one of the gateway. */
export interface JsonBody {
  readonly access: string;
  readonly refresh?: string;
  readonly code?: string;
  readonly detail?: string;
}

// Its types differ between browsers and Node: here an answer is one of the gateway, or not JSON.
declare const fetch: (
  url: URL,
  init: RequestInit,
) => Promise<{ readonly status: number; readonly headers: Headers; json(): Promise<JsonBody> }>;

/** The codes of a 401 of the gateway. A proxy on the way, or a captive portal, may answer 401 too. */
const TOKEN_REFUSED = /token_not_valid|not_authenticated/;
/** Answers that are not expected to pass. */
const REFUSED = /^4(?!01|08|29)/;

/**
 * Sends a request, which may have form fields.
 * @param read reads the body of a success; if it throws, something else than the gateway has answered
 */
export async function ask<T>(
  url: URL,
  isCookieMode: boolean,
  fields: Fields,
  read: (answer: JsonBody) => T,
): Promise<Outcome<T>> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams(fields),
      ...(isCookieMode && { credentials: 'include', headers: { 'x-latchkey-mode': 'cookie' } }),
      redirect: 'error',
      // The browser stores the cookie of the answer though the page is gone by then.
      keepalive: true,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { status } = response;
    const answer = await response.json().catch(() => undefined);
    if (status === 200 && answer) return [read(answer)];
    if (status === 401 && TOKEN_REFUSED.test(`${answer?.code}`)) return [];
    return [
      undefined,
      new SessionError(REFUSED.test(`${status}`) ? 'refused' : 'unavailable', `${status} ${answer?.detail}`),
      Number(response.headers.get('retry-after')) * 1000,
    ];
  } catch (cause) {
    return [undefined, new SessionError('unavailable', undefined, cause)];
  }
}
