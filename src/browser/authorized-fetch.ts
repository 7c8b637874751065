// `fetch` with the access token of a session.

import { SessionError } from './api.js';

const AUTHORIZATION = 'authorization';

/**
 * @param accessToken undefined: there is no session
 * @param mayRetry called when a service has refused a request, with its credentials; whether to send it again
 * @param origins the URLs whose origins get the token
 */
export function authorizedFetch(
  accessToken: () => Promise<string | undefined>,
  mayRetry: (refused: string | null) => boolean,
  origins: () => readonly string[],
): typeof fetch {
  const send = async (request: Request): Promise<Response> => {
    const access = await accessToken();
    if (!access) throw new SessionError('signed_out');
    request.headers.set(AUTHORIZATION, `Bearer ${access}`);
    return fetch(request);
  };
  return async (input, init) => {
    const request = new Request(input, init);
    const { origin } = new URL(request.url);
    // The token would let another site act for the user.
    if (!origins().some((each) => new URL(each).origin === origin)) {
      throw new TypeError(`${origin} is not in origins`);
    }
    const first = request.clone();
    const response = await send(first);
    if (response.status !== 401 || !mayRetry(first.headers.get(AUTHORIZATION))) return response;
    return send(request).catch((error) => {
      // Without another token the response is the best that there is.
      if (error instanceof SessionError) return response;
      throw error;
    });
  };
}
