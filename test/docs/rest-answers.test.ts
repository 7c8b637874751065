// Tests that the table of REST answers in docs/rest-api.md is what the gateway answers, row by row, over real HTTP.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { type Answered, LOGOUT, REFRESH, RunningGateway } from '../gateway/running-gateway.js';
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

/** The body as the table has it; an ellipsis stands for anything. */
const patternOf = (body: string): RegExp =>
  new RegExp(
    `^${body
      .split('…')
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.+')}$`,
  );
