// The error responses of OAuth endpoints (RFC 6749, section 5.2).

import { HttpError, type HttpResponse } from '../http/responses.js';

/** The codes of RFC 6749, section 5.2, and RFC 7009, section 2.2.1. */
type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'unauthorized_client' | 'unsupported_token_type';

const CHALLENGE = 'Basic realm="oauth2", charset="UTF-8"';

/** @param description for developers: printable ASCII without `"` and `\`, and never a part of the request */
const oauthError = (status: number, error: OAuthErrorCode, description: string): HttpResponse => ({
  status,
  body: { error, error_description: description },
});

export const invalidRequest = (description: string): HttpError =>
  new HttpError(oauthError(400, 'invalid_request', description));

/** The client is unknown, or its credentials are missing or wrong; the response does not say which. */
export const invalidClient = (description: string): HttpError =>
  new HttpError({
    ...oauthError(401, 'invalid_client', description),
    headers: { 'www-authenticate': CHALLENGE },
  });

/** The subject belongs to another issuer. */
export const unknownSubject = (): HttpError =>
  new HttpError(oauthError(404, 'invalid_request', 'the issuer of sub_id is not the issuer of this service'));

/** The service signs no response: it has no issuer, or its tokens are signed with a secret. */
export const notSigned: HttpResponse = oauthError(
  406,
  'invalid_request',
  'this service cannot sign the response: accept application/json',
);

/** The client is known, and may not do this. */
export const unauthorizedClient = (status: 400 | 403, description: string): HttpError =>
  new HttpError(oauthError(status, 'unauthorized_client', description));

export const unsupportedTokenType = (description: string): HttpError =>
  new HttpError(oauthError(400, 'unsupported_token_type', description));
