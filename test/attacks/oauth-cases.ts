// Attacks on the endpoints of OAuth, as rows for the table of attacks on HTTP.

import { basic, INTROSPECT, REVOKE, REVOKE_ALL, SECRET } from '../gateway/oauth-clients.js';

/** A title, the statuses that answer it, what becomes of the connection, and its bytes. */
type OAuthRow = readonly [title: string, statuses: readonly number[], then: 'serves' | 'ends', bytes: string];

const FORM = 'application/x-www-form-urlencoded';
const METADATA = '/.well-known/oauth-authorization-server';
const { authorization } = basic('orders', SECRET);
const BASIC = `Authorization: ${authorization}`;
const AS_MANAGER = `Authorization: ${basic('manager', SECRET).authorization}`;
const WEAK = 'token=t&client_id=orders&client_secret=x';
const SUBJECT = '{"sub_id":{"format":"opaque","id":"alice"}}';
const SIGNED = 'Accept: application/token-introspection+jwt';

const request = (line: string, type: string, body: string, headers: readonly string[]): string =>
  `${[line, 'Host: h', `Content-Type: ${type}`, `Content-Length: ${body.length}`, ...headers].join('\r\n')}\r\n\r\n${body}`;
const post = (path: string, body: string, ...headers: readonly string[]): string =>
  request(`POST ${path} HTTP/1.1`, FORM, body, headers);
const introspect = (body: string, ...headers: readonly string[]): string => post(INTROSPECT, body, ...headers);
const json = (path: string, body: string, ...headers: readonly string[]): string =>
  request(`POST ${path} HTTP/1.1`, 'application/json', body, headers);
const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
const named = (count: number): string => Array.from({ length: count }, (_, index) => `a${index}=`).join('&');
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

export const OAUTH: readonly OAuthRow[] = [
  ['an introspection', [200], 'serves', introspect('token=t', BASIC)],
  ['an introspection without credentials', [401], 'serves', introspect('token=t')],
  ['credentials that are no base64', [401], 'serves', introspect('token=t', 'Authorization: Basic %%%')],
  ['credentials that are no text', [401], 'serves', introspect('token=t', 'Authorization: Basic //79OsD/')],
  ['credentials of 15 KB', [401], 'serves', introspect('token=t', `Authorization: Basic ${'QQ'.repeat(7_500)}`)],
  ['credentials of bytes beyond ASCII', [401], 'serves', introspect('token=t', 'Authorization: Basic \xe9')],
  ['credentials twice', [400], 'serves', introspect('token=t', BASIC, BASIC)],
  ['credentials twice in one line', [401], 'serves', introspect('token=t', `${BASIC}, ${authorization}`)],
  ['a token twice', [400], 'serves', introspect('token=t&token=u', BASIC)],
  ['a token twice, once encoded', [400], 'serves', introspect('token=t&%74oken=u', BASIC)],
  ['names of a prototype', [200], 'serves', introspect('__proto__=x&token=t&constructor=y', BASIC)],
  ['2,000 parameters', [400], 'serves', introspect(named(2_000), BASIC)],
  ['a token of broken escapes', [200], 'serves', introspect(`token=${'%'.repeat(16_000)}`, BASIC)],
  ['a form that is not UTF-8', [400], 'serves', introspect('token=\xff', BASIC)],
  ['a form of more than 16 KiB', [413], 'ends', introspect(`token=${'t'.repeat(16_384)}`, BASIC)],
  ['JSON instead of a form', [400], 'serves', json(INTROSPECT, '{"token":"t"}', BASIC)],
  ['a signature that cannot be had', [406], 'serves', introspect('token=t', BASIC, SIGNED)],
  ['an odd Accept', [200], 'serves', introspect('token=t', BASIC, `Accept: ${',;q=,'.repeat(2_000)}`)],
  ['a revocation', [200], 'serves', post(REVOKE, 'token=t')],
  ['a revocation by GET', [405], 'serves', get(`${REVOKE}?token=t`)],
  ['a revocation with a wrong secret', [401], 'serves', post(REVOKE, WEAK)],
  ['a revocation of all', [204], 'serves', json(REVOKE_ALL, SUBJECT, AS_MANAGER)],
  ['a revocation of all without the right', [403], 'serves', json(REVOKE_ALL, SUBJECT, BASIC)],
  ['a subject of 8,000 levels', [400], 'serves', json(REVOKE_ALL, `{"sub_id":${deep(8_000)}}`, AS_MANAGER)],
  ['a subject in __proto__', [400], 'serves', json(REVOKE_ALL, `{"__proto__":${SUBJECT}}`, AS_MANAGER)],
  ['the metadata by POST', [405], 'serves', post(METADATA, '')],
  ['the metadata of another issuer', [404], 'serves', get(`${METADATA}/other`)],
  ['dots behind the metadata', [404], 'serves', get(`${METADATA}/%2e%2e/jwks.json`)],
];
