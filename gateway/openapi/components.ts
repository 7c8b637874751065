// The components of the OpenAPI document: schemas, header fields, ways to authenticate, and shared responses.

import { type Fragment, headerRef, jsonResponse } from './operation.js';

/** The most characters of a token. */
const TOKEN_CHARACTERS = 8_192;

const text = (description: string, more: Fragment = {}): Fragment => ({ type: 'string', description, ...more });
const seconds = (description: string): Fragment => ({
  ...{ type: 'integer', format: 'int64', description: `${description}, Unix seconds` },
});

const object = (required: readonly string[], properties: Fragment, more: Fragment = {}): Fragment => ({
  ...{ type: 'object', required, properties, additionalProperties: false },
  ...more,
});

const token = (description: string): Fragment => text(description, { minLength: 1, maxLength: TOKEN_CHARACTERS });
const FIELD_FAULTS = { type: 'array', items: { type: 'string' }, minItems: 1 };

const SCHEMAS: Readonly<Record<string, Fragment>> = {
  Pair: object(['access'], {
    access: text('The access token, a JWT'),
    refresh: text('The refresh token of the next refresh; in cookie mode it is in the cookie'),
  }),
  Access: object(['access'], { access: text('The access token, a JWT') }),
  Refresh: object(['refresh'], { refresh: token('The refresh token to trade') }, { additionalProperties: true }),
  Logout: object(
    [],
    {
      refresh: token('A refresh token of the session; needed without a bearer token'),
      all_sessions: { type: 'boolean', default: false, description: 'End all sessions of the subject' },
    },
    { additionalProperties: true },
  ),
  Empty: object([], {}),
  Ok: object(['status'], { status: { type: 'string', const: 'ok' } }),
  Detail: object(['detail'], { detail: text('What is wrong, for people') }),
  FieldErrors: {
    ...{ type: 'object', description: 'What is wrong with each field', minProperties: 1 },
    additionalProperties: FIELD_FAULTS,
  },
  BadRequest: { anyOf: [{ $ref: '#/components/schemas/Detail' }, { $ref: '#/components/schemas/FieldErrors' }] },
  Refused: object(['detail', 'code'], {
    detail: text('What is wrong, for people'),
    code: text('What is wrong, for programs', {
      enum: ['token_not_valid', 'not_authenticated', 'invalid_request'],
    }),
  }),
  Forbidden: object(['detail', 'code'], {
    detail: text('What is wrong, for people'),
    code: { type: 'string', const: 'csrf_failed' },
  }),
  Unavailable: object(['detail', 'code'], {
    detail: text('What is wrong, for people'),
    code: { type: 'string', const: 'service_unavailable' },
  }),
  OAuthError: object(['error'], {
    error: text('RFC 6749, section 5.2', {
      enum: ['invalid_request', 'invalid_client', 'unauthorized_client', 'unsupported_token_type'],
    }),
    error_description: text('What is wrong, for developers'),
  }),
  OAuthBadRequest: { anyOf: [{ $ref: '#/components/schemas/OAuthError' }, { $ref: '#/components/schemas/Detail' }] },
  Token: object(
    ['token'],
    {
      // Of any length: one that is too long for a token of ours is not active, and needs no revocation.
      token: text('An access token or a refresh token', { minLength: 1 }),
      token_type_hint: text('RFC 7009, section 2.1', { examples: ['access_token'] }),
      client_id: text('The client, by client_secret_post'),
      client_secret: text('Its secret'),
    },
    { additionalProperties: true },
  ),
  Introspection: object(
    ['active'],
    {
      active: { type: 'boolean', description: 'Whether the token is active' },
      token_use: text('What the token is for', { enum: ['access', 'refresh'] }),
      token_type: { type: 'string', const: 'Bearer' },
      exp: seconds('When the token ends'),
      iat: seconds('When it was issued'),
      sub: text('The subject'),
      sid: text('The session'),
      jti: text('The id of the token'),
    },
    { additionalProperties: true, description: 'RFC 7662, section 2.2, with all claims of the token' },
  ),
  SubjectIdentifier: object(
    ['sub_id'],
    {
      sub_id: {
        oneOf: [
          object(['format', 'id'], { format: { type: 'string', const: 'opaque' }, id: text('The subject') }),
          object(['format', 'iss', 'sub'], {
            ...{ format: { type: 'string', const: 'iss_sub' }, iss: text('The issuer'), sub: text('The subject') },
          }),
        ],
      },
    },
    { additionalProperties: true, description: 'RFC 9493, sections 3.2.1 and 3.2.4' },
  ),
  KeySet: object(['keys'], {
    keys: {
      ...{ type: 'array', description: 'The public keys of access tokens; none under HS256' },
      items: object(['kty', 'use', 'alg', 'kid'], {
        kty: text('The key type', { enum: ['EC', 'RSA'] }),
        use: { type: 'string', const: 'sig' },
        alg: text('The algorithm', { enum: ['ES256', 'RS256'] }),
        kid: text('The RFC 7638 thumbprint'),
        ...{ crv: text('EC: the curve'), x: text('EC'), y: text('EC'), n: text('RSA'), e: text('RSA') },
      }),
    },
  }),
  AuthorizationServer: object(
    ['issuer', 'introspection_endpoint', 'revocation_endpoint'],
    {
      issuer: text('The issuer', { format: 'uri' }),
      jwks_uri: text('Where the key set is', { format: 'uri' }),
      introspection_endpoint: text('RFC 7662', { format: 'uri' }),
      revocation_endpoint: text('RFC 7009', { format: 'uri' }),
    },
    { additionalProperties: true, description: 'RFC 8414, section 2' },
  ),
  OpenApi: { type: 'object', description: 'An OpenAPI 3.1 document' },
};

const header = (description: string, schema: Fragment = { type: 'string' }): Fragment => ({ description, schema });

const HEADERS: Readonly<Record<string, Fragment>> = {
  RequestId: header('The id of the request, in every line of the log'),
  CacheControl: header('`no-store`, except where a cache may keep the response'),
  ETag: header('The version of the response'),
  Challenge: header('How to authenticate'),
  RetryAfter: header('When to try again, seconds', { type: 'integer', minimum: 1 }),
  SetCookie: header('In cookie mode: stores the refresh token, or removes it'),
  RateLimit: header('How many requests are left, where RATE_LIMIT is set'),
  RateLimitPolicy: header('The limit, where RATE_LIMIT is set'),
};

export const CHALLENGE = { 'WWW-Authenticate': headerRef('Challenge') };
export const SET_COOKIE = { 'Set-Cookie': headerRef('SetCookie') };
const RETRY_AFTER = { 'Retry-After': headerRef('RetryAfter') };
const LIMITS = { RateLimit: headerRef('RateLimit'), 'RateLimit-Policy': headerRef('RateLimitPolicy') };

const RESPONSES: Readonly<Record<string, Fragment>> = {
  BadRequest: jsonResponse('The request is not valid', 'BadRequest'),
  Malformed: jsonResponse('The request is not valid HTTP', 'Detail'),
  Refused: jsonResponse('The token is not good', 'Refused', CHALLENGE),
  Forbidden: jsonResponse('The request is not one of a page that may use the cookie', 'Forbidden'),
  Timeout: jsonResponse('The request took too long to arrive', 'Detail'),
  TooLarge: jsonResponse('The body is too large', 'Detail'),
  UnsupportedMediaType: jsonResponse('The media type is not supported', 'Detail'),
  ExpectationFailed: jsonResponse('The expectation is not supported', 'Detail'),
  TooManyRequests: jsonResponse('There are too many requests; this one was not processed', 'Detail', {
    ...{ ...RETRY_AFTER, ...LIMITS },
  }),
  HeadersTooLarge: jsonResponse('The header is too large', 'Detail'),
  Unavailable: jsonResponse(
    'The service or its store cannot answer; the token may be active or not: try again',
    'Unavailable',
    RETRY_AFTER,
  ),
  OAuthBadRequest: jsonResponse('The request is not valid', 'OAuthBadRequest'),
  OAuthError: jsonResponse('RFC 6749, section 5.2', 'OAuthError'),
  InvalidClient: jsonResponse('The client is not known, or its secret is wrong', 'OAuthError', CHALLENGE),
};

export const COMPONENTS: Fragment = {
  schemas: SCHEMAS,
  headers: HEADERS,
  responses: RESPONSES,
  securitySchemes: {
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token' },
    client: { type: 'http', scheme: 'basic', description: 'An OAuth client of OAUTH_CLIENTS' },
  },
};
