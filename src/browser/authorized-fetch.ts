// `fetch` with the access token of a session.

import { SessionError } from './api.js';

/**
 * @param accessToken undefined: there is no session
 * @param mayRetry called when a service has refused a request with a token; whether to send it again
 * @param origins the URLs whose origins get the token
 */
export function authorizedFetch(
  accessToken: () => Promise<string | undefined>,
  mayRetry: (refused: string) => boolean,
  origins: () => readonly (string | URL)[],
): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { signal, url } = request;
    const { origin } = new URL(url);
    // The token would let another site act for the user.
    if (!origins().some((each) => new URL(each).origin === origin)) {
      throw new TypeError(`${origin} is not in origins`);
    }
    const send = (each: Request, access: string): Promise<Response> => {
      each.headers.set('authorization', `Bearer ${access}`);
      return fetch(each);
    };
    const access = await new Promise<string | undefined>((resolve, reject) => {
      // The caller may give up before a refresh has ended.
      signal.throwIfAborted();
      signal.onabort = () => reject(signal.reason);
      accessToken().then(resolve, reject);
    });
    if (!access) throw new SessionError('signed_out');
    const response = await send(request.clone(), access);
    // Without another token the response is the best that there is.
    const next = response.status === 401 && mayRetry(access) && (await accessToken().catch(() => undefined));
    return next ? send(request, next) : response;
  };
}
