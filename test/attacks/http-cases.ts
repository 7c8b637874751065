// The table of attacks on HTTP: the bytes of each, the statuses that answer them, and what becomes of the connection.

import { gzipSync } from 'node:zlib';
import { OAUTH } from './oauth-cases.js';

/** What becomes of the connection: it `serves` the next request, or it `ends`; in one row Node's version decides. */
export type Then = 'serves' | 'ends' | 'serves or ends';

export interface Row {
  readonly title: string;
  readonly bytes: string;
  readonly statuses: readonly number[];
  readonly then: Then;
}

const PATH = '/api/auth/token/refresh/';
const BODY = '{"refresh":"r"}';

const row = (title: string, statuses: readonly number[], then: Then, bytes: string): Row => ({
  title,
  bytes,
  statuses,
  then,
});
const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`;
/** A GET. A probe ends its connection; `/nowhere` does not. */
const get = (target: string, ...headers: readonly string[]): string =>
  lines(`GET ${target} HTTP/1.1`, 'Host: h', ...headers);
/** The head of a refresh, without its length. */
const head = (...headers: readonly string[]): string =>
  lines(`POST ${PATH} HTTP/1.1`, 'Host: h', 'Content-Type: application/json', ...headers);
/** A whole refresh with a body, which may be bytes as latin1. */
const post = (body: string, ...headers: readonly string[]): string =>
  `${head(`Content-Length: ${body.length}`, ...headers)}${body}`;
const posted = (type: string, body: string, ...headers: readonly string[]): string =>
  post(body, ...headers).replace('application/json', type);
const chunked = (body: string, ...headers: readonly string[]): string =>
  `${head('Transfer-Encoding: chunked', ...headers)}${body}`;
const NEXT = post(BODY);
const binary = (buffer: Buffer): string => buffer.toString('latin1');

const LENGTHS: readonly Row[] = [
  row(
    'a length that is too short: the rest is no request',
    [],
    'ends',
    `${head('Content-Length: 15')}${BODY}, and more`,
  ),
  row('a length that is too long', [408], 'ends', `${head('Content-Length: 99')}${BODY}`),
  row('a length that is negative', [400], 'ends', `${head('Content-Length: -15')}${BODY}`),
  row('a length with a sign', [400], 'ends', `${head('Content-Length: +15')}${BODY}`),
  row('a length in hexadecimal', [400], 'ends', `${head('Content-Length: 0xf')}${BODY}`),
  row('a length that is no number', [400], 'ends', `${head('Content-Length: many')}${BODY}`),
  row('a length that is empty', [400], 'ends', `${head('Content-Length: ')}${BODY}`),
  row('a length beyond 64 bits', [400], 'ends', `${head(`Content-Length: ${'9'.repeat(30)}`)}${BODY}`),
  row('a length of 2^53 bytes', [413], 'ends', `${head('Content-Length: 9007199254740992')}${BODY}`),
  row('two lengths that differ', [400], 'ends', `${head('Content-Length: 15', 'Content-Length: 16')}${BODY}`),
  row('the same length twice', [400], 'ends', `${head('Content-Length: 15', 'Content-Length: 15')}${BODY}`),
  row('two lengths in one line', [400], 'ends', `${head('Content-Length: 15, 15')}${BODY}`),
  row('no length and no body', [400], 'serves', head()),
  row('a body with a GET', [405], 'serves', post(BODY).replace('POST', 'GET')),
];

const CHUNKS: readonly Row[] = [
  row('chunks', [200], 'serves', chunked(`1\r\n{\r\ne\r\n${BODY.slice(1)}\r\n0\r\n\r\n`)),
  row('chunks with a trailer', [200], 'serves', chunked(`f\r\n${BODY}\r\n0\r\nX-Late: 1\r\n\r\n`)),
  row('a length as trailer', [400], 'ends', chunked(`f\r\n${BODY}\r\n0\r\nContent-Length: 3\r\n\r\n`)),
  row('a trailer of 20 KB', [431], 'ends', chunked(`f\r\n${BODY}\r\n0\r\nX-Late: ${'x'.repeat(20_000)}\r\n\r\n`)),
  row('a chunk extension', [200], 'serves', chunked(`f;a=b\r\n${BODY}\r\n0\r\n\r\n`)),
  row('a chunk extension of 20 KB', [400], 'ends', chunked(`f;${'x'.repeat(20_000)}\r\n${BODY}\r\n0\r\n\r\n`)),
  row('a chunk size that is negative', [400], 'ends', chunked(`-f\r\n${BODY}\r\n0\r\n\r\n`)),
  row('a chunk size with 0x', [400], 'ends', chunked(`0xf\r\n${BODY}\r\n0\r\n\r\n`)),
  row('a chunk size beyond 64 bits', [400], 'ends', chunked(`${'f'.repeat(17)}\r\n${BODY}`)),
  row('a chunk that is longer than its size', [400], 'ends', chunked(`3\r\n${BODY}\r\n0\r\n\r\n`)),
  row('chunks without an end', [408], 'ends', chunked(`f\r\n${BODY}\r\n`)),
  row('chunks with bare line feeds', [400], 'ends', chunked(`f\n${BODY}\n0\n\n`)),
  row('a length and chunks', [400], 'ends', `${head('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`),
  row('chunks and a length', [400], 'ends', `${head('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`),
  row('an encoding that is almost chunked', [400], 'ends', `${head('Transfer-Encoding: xchunked')}0\r\n\r\n`),
  row('chunked, and then another', [400], 'ends', `${head('Transfer-Encoding: chunked, gzip')}0\r\n\r\n`),
  row('chunked twice', [400], 'ends', `${head('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n`),
  row('chunked after a vertical tab', [400], 'ends', `${head('Transfer-Encoding: \x0bchunked')}0\r\n\r\n`),
  row('a blank before the colon', [400], 'ends', `${head('Transfer-Encoding : chunked')}0\r\n\r\n`),
  row('chunks under HTTP/1.0', [200], 'ends', chunked(`f\r\n${BODY}\r\n0\r\n\r\n`).replace('HTTP/1.1', 'HTTP/1.0')),
];

const HEADERS: readonly Row[] = [
  row('a folded header', [400], 'ends', get('/healthz', 'X-Folded: a', ' b')),
  row('a folded length', [400], 'ends', `${head('Content-Length:', ' 15')}${BODY}`),
  row('bare line feeds', [400], 'ends', get('/healthz').replaceAll('\r\n', '\n')),
  row('a bare carriage return', [400], 'ends', get('/healthz', 'X-Bare: a\rX-Hidden: b')),
  row('NUL in a header', [400], 'ends', get('/healthz', 'X-Nul: a\0b')),
  row('NUL in a name', [400], 'ends', get('/healthz', 'X-\0Nul: a')),
  row('a header without a name', [400], 'ends', get('/healthz', ': a')),
  row('a header without a colon', [400], 'ends', get('/healthz', 'X-Nothing')),
  row('a blank before the first header', [400], 'ends', lines('GET /healthz HTTP/1.1', ' X-First: a', 'Host: h')),
  row('a name beyond ASCII', [400], 'ends', get('/healthz', 'X-\xe9: a')),
  row('a value beyond ASCII', [404], 'serves', get('/nowhere', 'X-Odd: \xe9\xff')),
  row('100 headers', [404], 'serves', get('/nowhere', ...Array<string>(99).fill('a:b'))),
  row('one header more', [431], 'serves', get('/nowhere', ...Array<string>(100).fill('a:b'))),
  row('900 headers', [431], 'serves', get('/nowhere', ...Array<string>(899).fill('a:'))),
  // Beyond 1,000 fields Node 20 drops the rest, and Node 22 and 24 end the connection.
  row('10,000 headers', [431], 'serves or ends', get('/nowhere', ...Array<string>(9_999).fill('a:'))),
  row('one header of 20 KB', [431], 'ends', get('/healthz', `Cookie: ${'x'.repeat(20_000)}`)),
  row('two hosts', [400], 'serves', get('/nowhere', 'Host: other')),
  row('no host', [400], 'serves', lines('GET /nowhere HTTP/1.1', 'X-Host: h')),
  row('a request id twice', [404], 'serves', get('/nowhere', 'X-Request-Id: a', 'X-Request-Id: b')),
  row('two media types: the first counts', [200], 'serves', post(BODY, 'Content-Type: text/plain')),
  row('an expectation that is met', [100, 200], 'serves', post(BODY, 'Expect: 100-continue')),
  row(
    'an expectation of a body that is refused',
    [100, 404],
    'serves',
    post(BODY, 'Expect: 100-continue').replace(PATH, '/no'),
  ),
  row('an unknown expectation', [417], 'ends', post(BODY, 'Expect: wonders')),
  row('an announced trailer, and TE', [404], 'serves', get('/nowhere', 'TE: trailers', 'Trailer: X-Late')),
  row('a request to close', [200], 'ends', get('/healthz', 'Connection: close')),
];

const VERSIONS: readonly Row[] = [
  row('HTTP/1.0', [200], 'ends', lines('GET /healthz HTTP/1.0')),
  row('HTTP/1.0 that would stay', [404], 'serves', lines('GET /nowhere HTTP/1.0', 'Connection: keep-alive')),
  row('HTTP/0.9', [408], 'ends', 'GET /healthz\r\n'),
  row('HTTP/0.9 by name', [400], 'ends', lines('GET /healthz HTTP/0.9', 'Host: h')),
  row('HTTP/1.2', [400], 'ends', lines('GET /healthz HTTP/1.2', 'Host: h')),
  row('HTTP/2.0 by name', [400], 'ends', lines('GET /healthz HTTP/2.0', 'Host: h')),
  row('the preface of HTTP/2', [400], 'ends', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'),
  row('a TLS hello', [400], 'ends', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'),
  row(
    'an upgrade to a websocket',
    [404],
    'serves',
    get('/nowhere', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'),
  ),
  row(
    'an upgrade to h2c',
    [404],
    'serves',
    get('/nowhere', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'),
  ),
  row('an upgrade with a body', [200], 'serves', post(BODY, 'Connection: Upgrade', 'Upgrade: h2c')),
  row('CONNECT', [], 'ends', lines('CONNECT other:443 HTTP/1.1', 'Host: other:443')),
  row('TRACE', [405], 'serves', post('').replace('POST', 'TRACE')),
];

const TARGETS: readonly Row[] = [
  row('a URL as target', [200], 'ends', get('http://h/healthz')),
  row('the URL of another host', [200], 'ends', get('https://other:1/healthz?a#b')),
  row('a URL without a path', [404], 'serves', get('http://h')),
  row('a host as target', [400], 'ends', get('h:80')),
  row('OPTIONS of everything', [404], 'serves', get('*').replace('GET', 'OPTIONS')),
  row('GET of everything', [404], 'serves', get('*')),
  row('no target', [400], 'ends', lines('GET  HTTP/1.1', 'Host: h')),
  row('a target with a blank', [400], 'ends', get('/health z')),
  row('a target beyond ASCII', [400], 'ends', get('/h\xe9')),
  row('a target with NUL', [400], 'ends', get('/health\0z')),
  row('two slashes', [404], 'serves', get('//healthz')),
  row('two slashes within', [404], 'serves', get('/api//auth/logout')),
  row('dots', [404], 'serves', get('/api/../healthz')),
  row('dots in disguise', [404], 'serves', get('/api/%2e%2e/healthz')),
  row('a backslash', [404], 'serves', get('/api\\..\\healthz')),
  row('an encoded letter', [200], 'ends', get('/%68ealthz')),
  row('an encoded letter with another method', [405], 'serves', get('/api/auth/%6Cogout/')),
  row('a letter encoded twice', [404], 'serves', get('/%2568ealthz')),
  row('an encoded slash', [404], 'serves', get('/api%2Fauth%2Flogout')),
  row('an encoded NUL', [404], 'serves', get('/healthz%00')),
  row('a broken escape', [404], 'serves', get('/%zz')),
  row('an escape that is not UTF-8', [404], 'serves', get('/%C0%AFhealthz')),
  row('a semicolon', [404], 'serves', get('/healthz;a=b')),
  row('a path of 15 KB', [404], 'serves', get(`/${'a'.repeat(15_000)}`)),
  row('a path of 5,000 slashes', [404], 'serves', get('/'.repeat(5_000))),
  row('a path of 5,000 escapes', [404], 'serves', get('/%41'.repeat(3_750))),
  row('a path of 20 KB', [431], 'ends', get(`/${'a'.repeat(20_000)}`)),
  row('a query of 15 KB', [200], 'ends', get(`/healthz?${'a'.repeat(15_000)}`)),
  row('a query of 5,000 names', [200], 'ends', get(`/healthz?${'a&'.repeat(5_000)}`)),
  row('a path called __proto__', [404], 'serves', get('/__proto__')),
  row('an unknown method', [400], 'ends', get('/healthz').replace('GET', 'BREW')),
  row('a method in lower case', [400], 'ends', get('/healthz').replace('GET', 'get')),
  row('a method that has no place here', [405], 'serves', get(PATH).replace('GET', 'PROPFIND')),
  row('a method that has no place anywhere', [404], 'serves', get('/no').replace('GET', 'MKCALENDAR')),
];

const preflight = (origin: string): string =>
  get(PATH, `Origin: ${origin}`, 'Access-Control-Request-Method: POST').replace('GET', 'OPTIONS');
const ORIGINS: readonly Row[] = [
  row('a preflight from a listed origin', [204], 'serves', preflight('https://app.example.com')),
  row('a preflight from another origin', [204], 'serves', preflight('https://evil.example')),
  row('a preflight from no origin', [204], 'serves', preflight('null')),
  row('a preflight of what is not there', [404], 'serves', preflight('https://evil.example').replace(PATH, '/no')),
  row(
    'a preflight with a body',
    [204],
    'serves',
    `${preflight('null').replace('Host: h', 'Host: h\r\nContent-Length: 4')}{"a"`,
  ),
];

const part = (name: string): string => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n\r\n`;
const multipart = (body: string): string => posted('multipart/form-data; boundary=b', body);
const form = (body: string): string => posted('application/x-www-form-urlencoded', body);
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const BODIES: readonly Row[] = [
  row('a key __proto__', [400], 'serves', post('{"__proto__":{"refresh":"r"}}')),
  row('a key __proto__ beside a good one', [200], 'serves', post('{"__proto__":{"all_sessions":true},"refresh":"r"}')),
  row('a key constructor', [200], 'serves', post('{"constructor":{"prototype":{"refresh":1}},"refresh":"r"}')),
  row('a key twice', [200], 'serves', post('{"refresh":1.5,"refresh":"r"}')),
  row('JSON of 8,000 levels', [400], 'serves', post(deep(8_000))),
  row('JSON of 8,000 levels in a field', [400], 'serves', post(`{"refresh":${deep(8_000)}}`)),
  row('JSON of 8,000 levels beside a field', [200], 'serves', post(`{"refresh":"r","pad":${deep(8_000)}}`)),
  row('JSON that does not end', [400], 'serves', post('{"refresh":"')),
  row('a number of 16,000 digits', [200], 'serves', post(`{"refresh":${'9'.repeat(16_000)}}`)),
  row('a body that is not UTF-8', [400], 'serves', post('{"refresh":"\xff"}')),
  row('a body in UTF-16', [400], 'serves', post(binary(Buffer.from(BODY, 'utf16le')))),
  row('a byte order mark', [400], 'serves', post(`\xef\xbb\xbf${BODY}`)),
  row('a lone surrogate', [400], 'serves', post('{"refresh":"\\ud800"}')),
  row('a body that is packed', [400], 'serves', post(binary(gzipSync(BODY)), 'Content-Encoding: gzip')),
  row('a bomb', [400], 'serves', post(binary(gzipSync(Buffer.alloc(16_500_000))), 'Content-Encoding: gzip')),
  row('a body that is not packed, and says so', [200], 'serves', post(BODY, 'Content-Encoding: identity')),
  row('8,000 fields', [400], 'serves', form('a&'.repeat(8_000))),
  row('8,000 fields and a good one', [200], 'serves', form(`refresh=r&${'a&'.repeat(7_000)}`)),
  row('a form of broken escapes', [400], 'serves', form('%'.repeat(16_000))),
  row('as many parts as fit', [400], 'serves', multipart(`${part('a').repeat(300)}--b--\r\n`)),
  row('thousands of parts', [413], 'ends', multipart(`${part('a').repeat(3_000)}--b--\r\n`)),
  row('thousands of empty parts', [400], 'serves', multipart(`${'--b\r\n'.repeat(3_200)}--b--\r\n`)),
  row(
    'thousands of headers in a part',
    [400],
    'serves',
    multipart(`--b\r\n${'a:b\r\n'.repeat(3_200)}\r\n\r\n--b--\r\n`),
  ),
  row('a part that does not end', [400], 'serves', multipart(`${part('refresh')}r`)),
  row('a part called __proto__', [400], 'serves', multipart(`${part('__proto__')}--b--\r\n`)),
  row('a boundary of 10 KB', [400], 'serves', posted(`multipart/form-data; boundary=${'b'.repeat(10_000)}`, 'x')),
  row('a media type of 10 KB', [415], 'serves', posted(`text/${'x'.repeat(10_000)}`, BODY)),
  row('an unknown charset', [200], 'serves', posted('application/json; charset=klingon', BODY)),
];

const PIPELINES: readonly Row[] = [
  row('three at once, in order', [200, 404, 405], 'serves', NEXT + get('/no') + get(PATH)),
  row('a good one and garbage: its answer is owed, and no other', [], 'ends', `${NEXT}GARBAGE\r\n\r\n`),
  row('one within the body of another', [200], 'serves', form(`refresh=r&x=${NEXT}`)),
  row('one behind a body that is too large', [413], 'ends', post('x'.repeat(20_000)) + NEXT),
  row('one behind a refusal before the body', [404, 200], 'serves', post(BODY).replace(PATH, '/no') + NEXT),
  row(
    'one that waits to be waved on, behind another: Node closes',
    [200, 200],
    'ends',
    NEXT + post(BODY, 'Expect: 100-continue'),
  ),
  row('empty lines before a request', [200], 'serves', `\r\n\r\n${NEXT}`),
];

export const ROWS: Readonly<Record<string, readonly Row[]>> = {
  'the length of a body': LENGTHS,
  'chunks and encodings': CHUNKS,
  'the headers': HEADERS,
  'the version and the protocol': VERSIONS,
  'the target and the method': TARGETS,
  origins: ORIGINS,
  'the body': BODIES,
  'the endpoints of OAuth': OAUTH.map((each) => row(...each)),
  'the order of requests': PIPELINES,
};
