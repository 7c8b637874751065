// Requests to the gateway, and which of its answers decide.

import { SessionError } from './api.js';

/** The body of a success; undefined: the gateway has refused the token. */
export type GatewayAnswer = { readonly access: string; readonly refresh?: string } | undefined;

/**
 * Called for each failure, with the least time before the next request as the gateway wants it.
 * @returns when to send the request again, ms from now; undefined: not at all
 */
export type OnFailure = (error: SessionError, retryAfterMs: number) => number | undefined;

/** The JSON of an answer, as far as it is one of the gateway. */
interface JsonBody {
  readonly access: string;
  readonly code?: string;
  readonly detail?: string;
}

// Its types differ between browsers and Node: here an answer is one of the gateway, or not JSON.
declare const fetch: (
  url: URL,
  init: RequestInit,
) => Promise<{ readonly status: number; readonly headers: Headers; json(): Promise<JsonBody> }>;

/** Well within the ten seconds in which the service answers a repeated refresh with the same pair. */
const TIMEOUT_MS = 5_000;
/** The codes of a 401 of the gateway. A proxy on the way, or a captive portal, may answer 401 too. */
const TOKEN_REFUSED = /token_not_valid|not_authenticated/;
/** Answers that are not expected to pass. */
const REFUSED = /^4(?!01|08|29)/;

/** @throws SessionError `unavailable` or `refused` */
export async function ask(url: URL, isCookieMode: boolean, body: object, onFailure: OnFailure): Promise<GatewayAnswer> {
  for (;;) {
    let retryAfterMs = 0;
    let error: SessionError;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(isCookieMode && { 'x-latchkey-mode': 'cookie' }) },
        body: JSON.stringify(body),
        credentials: isCookieMode ? 'include' : 'omit',
        redirect: 'error',
        // The browser stores the cookie of the answer though the page is gone by then.
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const { status } = response;
      const answer = await response.json().catch(() => undefined);
      if (status === 200 && answer) return answer;
      if (status === 401 && TOKEN_REFUSED.test(`${answer?.code}`)) return undefined;
      error = new SessionError(REFUSED.test(`${status}`) ? 'refused' : 'unavailable', `${status} ${answer?.detail}`);
      retryAfterMs = Number(response.headers.get('retry-after')) * 1000 || 0;
    } catch (cause) {
      error = new SessionError('unavailable', undefined, cause);
    }
    const pauseMs = onFailure(error, retryAfterMs);
    if (pauseMs === undefined) throw error;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
