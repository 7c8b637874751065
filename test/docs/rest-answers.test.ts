// Tests that the table of REST answers in docs/rest-api.md is what the gateway answers, row by row, over real HTTP.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { type Answered, LOGOUT, REFRESH, RunningGateway, SESSION } from '../gateway/running-gateway.js';
import { badRequest, failure, tokenProblem } from '../support/scripted-auth-service.js';
import { codeOf, readText, tableBelow } from './markdown.js';

type Ask = (gateway: RunningGateway) => Promise<Answered>;

const refresh =
  (document: unknown): Ask =>
  (gateway) =>
    gateway.post(REFRESH, document);

/** A refresh whose call of the service fails. */
const refused =
  (...errors: Error[]): Ask =>
  async (gateway) => {
    const answers: Answered[] = [];
    for (const error of errors) {
      gateway.service.script = () => {
        throw error;
      };
      answers.push(await gateway.post(REFRESH, { refresh: 'a.b.c' }));
    }
    expect(new Set(answers.map(({ text }) => text)).size, 'one answer for all of them').to.equal(1);
    return answers[0] as Answered;
  };

/** What is asked for each row, by its first cell; headers that the answer must have. */
const REQUESTS: Readonly<Record<string, { readonly ask: Ask; readonly headers?: readonly string[] }>> = {
  'refresh with a good token': { ask: refresh({ refresh: 'a.b.c' }) },
  'logout, again too, also with an authentic token that has expired': {
    ask: (gateway) => gateway.post(LOGOUT, { refresh: 'a.b.c' }),
  },
  '`refresh` is missing': { ask: refresh({}) },
  '`refresh` is null': { ask: refresh({ refresh: null }) },
  '`refresh` is blank': { ask: refresh({ refresh: ' ' }) },
  '`refresh` is a list, an object or a boolean': { ask: refresh({ refresh: [] }) },
  '`refresh` holds a NUL': { ask: refresh({ refresh: 'a\0' }) },
  '`refresh` has more than 8192 characters': {
    // The limit is the service's own, and proved there; here it is its words.
    ask: refused(failure(status.INVALID_ARGUMENT, [badRequest('refresh_token', 'TOO_LARGE')])),
  },
  '`all_sessions` is no boolean': {
    ask: (gateway) => gateway.post(LOGOUT, { refresh: 'a.b.c', all_sessions: 'true' }),
  },
  'the body is a list': { ask: refresh([1]) },
  'the body is `null`': { ask: refresh('null') },
  'the body is not JSON': { ask: refresh('{') },
  'the token has expired': { ask: refused(tokenProblem('EXPIRED')), headers: ['www-authenticate'] },
  'the token is of the wrong type': { ask: refused(tokenProblem('WRONG_TYPE')), headers: ['www-authenticate'] },
  'the session is over, or the token was used before': {
    ask: refused(tokenProblem('REVOKED'), tokenProblem('REUSED')),
    headers: ['www-authenticate'],
  },
  'the token is bad in another way, a JSON number too': {
    ask: refused(...['MALFORMED', 'BAD_SIGNATURE', 'UNKNOWN_KEY', 'MISSING_CLAIM'].map((name) => tokenProblem(name))),
    headers: ['www-authenticate'],
  },
  'another path': { ask: (gateway) => gateway.ask('/api/auth/') },
  'another method': { ask: (gateway) => gateway.ask(REFRESH), headers: ['allow'] },
  'a body of more than 16 KiB': { ask: refresh({ refresh: 'x'.repeat(16 * 1024) }) },
  'another media type': { ask: (gateway) => gateway.post(REFRESH, '{}', { 'content-type': 'text/plain' }) },
  'more requests than `RATE_LIMIT` allows': {
    ask: async () => {
      const limited = await RunningGateway.start({ variables: { RATE_LIMIT: '1/5s' }, nowMs: () => 0 });
      await limited.ask('/');
      return limited.ask('/').finally(() => limited.stop());
    },
    headers: ['retry-after', 'ratelimit', 'ratelimit-policy'],
  },
  'the service or its store cannot answer': { ask: refused(failure(status.UNAVAILABLE)), headers: ['retry-after'] },
};

describe('docs/rest-api.md on REST answers', () => {
  const rows = () => tableBelow(readText('docs/rest-api.md'), '## What REST answers');
  let gateway: RunningGateway;

  before(async () => {
    gateway = await RunningGateway.start();
  });
  after(() => gateway.stop());
  beforeEach(() => gateway.service.reset());

  it('has a row for each request that is tried here, and no other', () => {
    expect(rows().map(([request]) => request)).to.deep.equal(Object.keys(REQUESTS));
  });

  for (const [request, { ask, headers = [] }] of Object.entries(REQUESTS)) {
    it(`is right: ${request}`, async () => {
      const [, code, body] = rows().find(([first]) => first === request) ?? [];
      const answer = await ask(gateway);
      expect(answer.status).to.equal(Number(code));
      expect(answer.text).to.match(patternOf(codeOf(body) ?? ''));
      for (const name of ['cache-control', 'x-request-id', ...headers]) {
        expect(answer.headers.has(name), name).to.equal(true);
      }
    });
  }
});

describe('a gateway with cookie mode, asked without its header', () => {
  const COOKIES = '__Secure-lk-refresh=a.b.c; __Secure-lk-refresh=tossed';
  let plain: RunningGateway;
  let cookies: RunningGateway;
  /** The same gateway, to which each request brings cookies. */
  let withCookies: RunningGateway;

  before(async () => {
    plain = await RunningGateway.start();
    cookies = await RunningGateway.start({ variables: { REFRESH_COOKIE: 'true', CORS_CREDENTIALS: 'true' } });
    const ask = (path: string, init: RequestInit = {}) =>
      cookies.ask(path, { ...init, headers: { ...(init.headers as Record<string, string>), cookie: COOKIES } });
    withCookies = Object.create(cookies, { ask: { value: ask } });
  });
  after(() => Promise.all([plain, cookies].map((gateway) => gateway.stop())));
  beforeEach(() => [plain, cookies].map((gateway) => gateway.service.reset()));

  /** All of an answer but what differs by time. */
  const bytes = ({ status: code, text, headers }: Answered): unknown => [
    code,
    text,
    [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name)),
  ];

  for (const [request, { ask }] of Object.entries(REQUESTS)) {
    it(`answers the same bytes: ${request}`, async () => {
      const expected = bytes(await ask(plain));
      for (const gateway of [cookies, withCookies]) expect(bytes(await ask(gateway))).to.deep.equal(expected);
    });
  }
});

const PAGE = { 'x-latchkey-mode': 'cookie', 'sec-fetch-site': 'same-origin' };
const COOKIE = { ...PAGE, cookie: '__Secure-lk-refresh=a.b.c' };
const page =
  (path: string, headers: Record<string, string>, document: unknown = {}): Ask =>
  (gateway) =>
    gateway.post(path, document, headers);

/** A request whose call of the service fails. */
const failing =
  (error: Error, ask: Ask): Ask =>
  (gateway) => {
    gateway.service.script = () => {
      throw error;
    };
    return ask(gateway);
  };

/** What is asked for each row of cookie mode, by its first cell. */
const PAGE_REQUESTS: Readonly<Record<string, readonly Ask[]>> = {
  'session with the refresh token of a login, as `refresh`': [page(SESSION, PAGE, { refresh: 'a.b.c' })],
  'session with a bad token': [failing(tokenProblem('REVOKED'), page(SESSION, PAGE, { refresh: 'a.b.c' }))],
  'refresh without a body': [page(REFRESH, COOKIE, '')],
  'logout without a body': [page(LOGOUT, COOKIE, '')],
  'refresh or logout, and the token in the cookie is bad': [REFRESH, LOGOUT].map((path) =>
    failing(tokenProblem('EXPIRED'), page(path, COOKIE)),
  ),
  'refresh without the cookie': [page(REFRESH, PAGE)],
  'logout without the cookie and without a bearer token': [page(LOGOUT, PAGE)],
  'the service or its store cannot answer': [REFRESH, LOGOUT].map((path) =>
    failing(failure(status.UNAVAILABLE), page(path, COOKIE)),
  ),
  'two cookies of the name': [REFRESH, LOGOUT].map((path) =>
    page(path, { ...COOKIE, cookie: `${COOKIE.cookie}; ${COOKIE.cookie}` }),
  ),
  'a body with `refresh`, to refresh or logout': [REFRESH, LOGOUT].map((path) => page(path, COOKIE, { refresh: 'a' })),
  'session with more than 3072 characters': [page(SESSION, PAGE, { refresh: 'x'.repeat(3_073) })],
  'the request is not one of an allowed page': [REFRESH, LOGOUT, SESSION].map((path) =>
    page(path, { ...COOKIE, 'sec-fetch-site': 'cross-site' }),
  ),
  'another `X-Latchkey-Mode`': [REFRESH, LOGOUT, SESSION].map((path) => page(path, { 'x-latchkey-mode': 'body' })),
};

const cookieChange = ({ headers }: Answered): string => {
  const [set] = headers.getSetCookie();
  return set === undefined ? 'none' : set.includes('Max-Age=0') ? 'removes' : 'stores';
};

describe('docs/rest-api.md on cookie mode', () => {
  const text = readText('docs/rest-api.md');
  const rows = () => tableBelow(text, '## Cookie mode');
  let gateway: RunningGateway;

  before(async () => {
    // A week before the refresh token of the scripted service expires.
    gateway = await RunningGateway.start({ variables: { REFRESH_COOKIE: 'true' }, unixMs: () => 1_700_000_000_000 });
  });
  after(() => gateway.stop());
  beforeEach(() => gateway.service.reset());

  it('has a row for each request that is tried here, and no other', () => {
    expect(rows().map(([request]) => request)).to.deep.equal(Object.keys(PAGE_REQUESTS));
  });

  for (const [request, asks] of Object.entries(PAGE_REQUESTS)) {
    it(`is right: ${request}`, async () => {
      const [, code, body, change] = rows().find(([first]) => first === request) ?? [];
      for (const ask of asks) {
        const answer = await ask(gateway);
        expect([answer.status, cookieChange(answer)]).to.deep.equal([Number(code), change]);
        expect(answer.text).to.match(patternOf(codeOf(body) ?? ''));
        expect(answer.headers.get('cache-control')).to.equal('no-store');
      }
    });
  }

  it('shows the cookie as it is', async () => {
    const { headers } = await gateway.post(REFRESH, '', COOKIE);
    const [, shown = ''] = /^Set-Cookie: (.*)$/m.exec(text) ?? [];
    expect(headers.getSetCookie()[0]).to.match(patternOf(shown));
  });
});

/** The body as the table has it; an ellipsis matches any text. */
const patternOf = (body: string): RegExp =>
  new RegExp(
    `^${body
      .split('…')
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.+')}$`,
  );
