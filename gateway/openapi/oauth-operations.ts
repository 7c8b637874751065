// The descriptions of the routes for OAuth clients.

import {
  cacheableResponses,
  type Fragment,
  IF_NONE_MATCH,
  jsonResponse,
  type Operation,
  response,
  responseRef,
  schemaRef,
} from './operation.js';

const FORM: Readonly<Record<string, Fragment>> = { 'application/x-www-form-urlencoded': schemaRef('Token') };

const ERRORS: Readonly<Record<number, Fragment>> = {
  400: responseRef('OAuthBadRequest'),
  401: responseRef('InvalidClient'),
  503: responseRef('Unavailable'),
};

export const INTROSPECT: Operation = {
  id: 'introspect',
  tag: 'OAuth',
  summary: 'Say whether a token is active (RFC 7662)',
  description: 'The client needs the right `introspect`. It may also authenticate by client_secret_post.',
  security: ['client', 'none'],
  body: FORM,
  responses: {
    200: response('Whether the token is active, and what it holds', {
      'application/json': { schema: schemaRef('Introspection') },
      'application/token-introspection+jwt': { schema: { type: 'string', description: 'RFC 9701, section 5' } },
    }),
    406: jsonResponse('The response cannot be signed', 'OAuthError'),
    ...ERRORS,
  },
};

export const REVOKE: Operation = {
  id: 'revoke',
  tag: 'OAuth',
  summary: 'End the session of a token (RFC 7009)',
  description: 'The token is the proof: a client need not authenticate. Credentials that are sent must be right.',
  security: ['none', 'client'],
  body: FORM,
  responses: { 200: response('The session is over, or the token is none of ours'), ...ERRORS },
};

export const REVOKE_ALL: Operation = {
  id: 'revokeAll',
  tag: 'OAuth',
  summary: 'End all sessions of a subject (draft-parecki-oauth-global-token-revocation-06)',
  description: 'The client needs the right `global_revocation`.',
  security: ['client'],
  body: { 'application/json': schemaRef('SubjectIdentifier') },
  responses: {
    204: response('All sessions of the subject are over'),
    403: responseRef('OAuthError'),
    404: responseRef('OAuthError'),
    ...ERRORS,
  },
};

export const REVOCATION_EVENTS: Operation = {
  id: 'revocationEvents',
  tag: 'OAuth',
  summary: 'Stream what ends access tokens, as server-sent events',
  description:
    'The client needs the right `watch`. Last-Event-ID resumes; without it, or if it is too old, `reset` comes.',
  security: ['client'],
  parameters: [
    {
      name: 'Last-Event-ID',
      in: 'header',
      description: 'The id of the last event that the client has',
      schema: { type: 'string' },
    },
  ],
  responses: {
    200: response('Events without an end', { 'text/event-stream': { schema: { type: 'string' } } }),
    401: responseRef('InvalidClient'),
    403: responseRef('OAuthError'),
    503: responseRef('Unavailable'),
  },
};

export const AUTHORIZATION_SERVER: Operation = {
  id: 'authorizationServer',
  tag: 'OAuth',
  summary: 'Where the endpoints for OAuth clients are (RFC 8414)',
  parameters: [IF_NONE_MATCH],
  responses: { ...cacheableResponses('The metadata', 'AuthorizationServer'), 503: responseRef('Unavailable') },
};
