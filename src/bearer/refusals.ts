// The HTTP responses to a refused request (RFC 6750, section 3), shared by gateway, middlewares and Envoy's check.

/** An HTTP response. Its body is sent as JSON. */
export interface Refusal {
  readonly status: 401 | 503;
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly detail: string; readonly code: string };
}

const CHALLENGE = 'Bearer realm="api"';
export const TOKEN_INVALID = 'Token is invalid';

/** The texts of simplejwt for the problems that it also has. */
const TOKEN_TEXTS: ReadonlyMap<string, string> = new Map([
  ['EXPIRED', 'Token is expired'],
  ['WRONG_TYPE', 'Token has wrong type'],
  ['REVOKED', 'Token is blacklisted'],
  ['REUSED', 'Token is blacklisted'],
]);

/** simplejwt's text for a problem of a token. */
export const tokenText = (problem: string): string => TOKEN_TEXTS.get(problem) ?? TOKEN_INVALID;

/** The body of simplejwt for a bad token. @param detail as simplejwt words it */
export const badTokenBody = (detail: string): Refusal['body'] => ({ detail, code: 'token_not_valid' });

/** The body of a response that says that the token's state is unknown. */
export const UNAVAILABLE_BODY: Refusal['body'] = {
  detail: 'Service temporarily unavailable, try again later.',
  code: 'service_unavailable',
};

// A cached refusal would outlive a login, and a cached acceptance a logout.
const NO_STORE = { 'cache-control': 'no-store' };

const unauthorized = (challenge: string, body: Refusal['body']): Refusal => ({
  status: 401,
  headers: { 'www-authenticate': challenge, ...NO_STORE },
  body,
});

/** There are no credentials. The challenge has no error then (RFC 6750, section 3.1). */
export const missingCredentials: Refusal = unauthorized(CHALLENGE, {
  detail: 'Authentication credentials were not provided.',
  code: 'not_authenticated',
});

export const invalidCredentials: Refusal = unauthorized(`${CHALLENGE}, error="invalid_request"`, {
  detail: 'The request must have one Authorization header with one bearer token.',
  code: 'invalid_request',
});

/** The token is not active. @param problem a name of the contract's TokenProblem, without its prefix */
export const inactiveToken = (problem: string): Refusal =>
  unauthorized(`${CHALLENGE}, error="invalid_token", error_description="${problem}"`, badTokenBody(tokenText(problem)));

/** The token is active, but lacks what this resource requires. @param detail for people; never a part of the token */
export const missingClaim = (detail: string): Refusal =>
  unauthorized(`${CHALLENGE}, error="invalid_token", error_description="MISSING_CLAIM"`, badTokenBody(detail));

/**
 * Whether the token is active is unknown.
 * @param retryAfterSeconds when to retry, in whole seconds, at least 1
 */
export const cannotTell = (retryAfterSeconds = 1): Refusal => ({
  status: 503,
  headers: { 'retry-after': String(retryAfterSeconds), ...NO_STORE },
  body: UNAVAILABLE_BODY,
});
