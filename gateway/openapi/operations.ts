// The descriptions of all routes but those for OAuth clients.

import { CHALLENGE, SET_COOKIE } from './components.js';
import {
  cacheableResponses,
  fieldsBody,
  IF_NONE_MATCH,
  jsonResponse,
  type Operation,
  response,
  responseRef,
} from './operation.js';

const OK = jsonResponse('It is', 'Ok');
const UNAVAILABLE = responseRef('Unavailable');

const MODE = {
  name: 'X-Latchkey-Mode',
  in: 'header',
  description: 'Keeps the refresh token in a cookie, where REFRESH_COOKIE is set',
  schema: { type: 'string', enum: ['cookie'] },
};
const FORBIDDEN = responseRef('Forbidden');

export const BEGIN_SESSION: Operation = {
  id: 'beginSession',
  tag: 'Sessions',
  summary: 'Trade the refresh token of a login for an access token and the cookie',
  parameters: [{ ...MODE, required: true }],
  body: fieldsBody('Refresh'),
  responses: {
    200: jsonResponse('The access token; the refresh token is in the cookie', 'Access', SET_COOKIE),
    400: responseRef('BadRequest'),
    401: responseRef('Refused'),
    403: FORBIDDEN,
    503: UNAVAILABLE,
  },
};

export const REFRESH: Operation = {
  id: 'refresh',
  tag: 'Sessions',
  summary: 'Trade a refresh token for the next pair',
  description:
    'Within REFRESH_GRACE a retry with the same token gets the same pair. After that the session ends. In cookie mode there is no body.',
  parameters: [MODE],
  body: fieldsBody('Refresh'),
  isBodyOptional: true,
  responses: {
    200: jsonResponse('The next pair; in cookie mode without the refresh token', 'Pair', SET_COOKIE),
    400: responseRef('BadRequest'),
    401: responseRef('Refused'),
    403: FORBIDDEN,
    503: UNAVAILABLE,
  },
};

export const LOGOUT: Operation = {
  id: 'logout',
  tag: 'Sessions',
  summary: 'End the session of a token',
  description: 'Takes a refresh token, an access token as bearer token, or both. Safe to repeat.',
  security: ['none', 'bearer'],
  parameters: [MODE],
  body: fieldsBody('Logout'),
  isBodyOptional: true,
  responses: {
    200: jsonResponse('The session is over, and all its tokens', 'Empty', SET_COOKIE),
    400: responseRef('BadRequest'),
    401: responseRef('Refused'),
    403: FORBIDDEN,
    503: UNAVAILABLE,
  },
};

export const CHECK: Operation = {
  id: 'check',
  tag: 'Proxies',
  summary: 'Decide for a proxy whether a request may pass',
  description: 'Every method, and every path below this one, gets the same answer. No body is read.',
  security: ['bearer'],
  parameters: [
    {
      name: 'aud',
      in: 'query',
      description: 'Audiences that the token must have, all of them',
      schema: { type: 'array', items: { type: 'string' } },
    },
  ],
  responses: {
    200: response('The token is active; the header names its subject, as CHECK_HEADERS says'),
    401: jsonResponse('The request may not pass', 'Refused', CHALLENGE),
    503: UNAVAILABLE,
  },
};

export const KEY_SET: Operation = {
  id: 'keySet',
  tag: 'Metadata',
  summary: 'The public keys of access tokens',
  description: 'A JSON Web Key Set (RFC 7517, section 5). A good signature is not an active session.',
  parameters: [IF_NONE_MATCH],
  responses: { ...cacheableResponses('The keys', 'KeySet'), 503: UNAVAILABLE },
};

export const OPENAPI: Operation = {
  id: 'openApi',
  tag: 'Metadata',
  summary: 'This document',
  parameters: [IF_NONE_MATCH],
  responses: cacheableResponses('The description of the routes of this gateway', 'OpenApi'),
};

export const LIVENESS: Operation = {
  id: 'liveness',
  tag: 'Probes',
  summary: 'Whether the process runs',
  responses: { 200: OK },
};

export const READINESS: Operation = {
  id: 'readiness',
  tag: 'Probes',
  summary: 'Whether the service can answer',
  responses: { 200: OK, 503: UNAVAILABLE },
};
