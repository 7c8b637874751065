// Tests of the logout route: which tokens it passes on, and what it refuses itself.

import { expect } from 'chai';
import { tokenProblem } from '../support/scripted-auth-service.js';
import { LOGOUT, RunningGateway } from './running-gateway.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const REQUIRED = '{"refresh":["This field is required."]}';
const NOT_A_BOOLEAN = '{"all_sessions":["Must be a valid boolean."]}';

describe('gateway: POST /api/auth/logout/', () => {
  let gateway: RunningGateway;
  before(async () => {
    gateway = await RunningGateway.start();
  });
  after(() => gateway.stop());
  beforeEach(() => gateway.service.reset());

  const accepted: readonly [title: string, body: string, authorization: string | undefined, request: object][] = [
    ['a refresh token', '{"refresh":"r"}', undefined, { refreshToken: 'r' }],
    ['a bearer', '{}', 'Bearer a', { accessToken: 'a' }],
    ['a bearer with an empty body', '', 'Bearer a', { accessToken: 'a' }],
    ['a bearer in lower case, with more blanks', '{}', 'bearer \t a ', { accessToken: 'a' }],
    ['both', '{"refresh":" r "}', 'Bearer a', { accessToken: 'a', refreshToken: 'r' }],
    ['a refresh token beside a malformed bearer', '{"refresh":"r"}', 'Bearer a b', { refreshToken: 'r' }],
    ['a refresh token beside another scheme', '{"refresh":"r"}', 'Basic dTpw', { refreshToken: 'r' }],
    ['all sessions', '{"refresh":"r","all_sessions":true}', undefined, { refreshToken: 'r', allSessions: true }],
    ['all sessions by a bearer', '{"all_sessions":true}', 'Bearer a', { accessToken: 'a', allSessions: true }],
    ['one session by name', '{"refresh":"r","all_sessions":false}', undefined, { refreshToken: 'r' }],
  ];
  for (const [title, body, authorization, request] of accepted) {
    it(`ends ${title.startsWith('all') ? '' : 'the session of '}${title}`, async () => {
      const { status, text } = await gateway.post(LOGOUT, body, authorization === undefined ? {} : { authorization });
      expect([status, text]).to.deep.equal([200, '{}']);
      const wanted = { accessToken: '', refreshToken: '', allSessions: false, ...request };
      expect(gateway.service.lastCall?.request).to.deep.equal(wanted);
    });
  }

  it('works without the trailing slash', async () => {
    expect((await gateway.post('/api/auth/logout', { refresh: 'r' })).text).to.equal('{}');
  });

  const refused: readonly [title: string, body: string, authorization: string | undefined, answer: string][] = [
    ['neither token', '{}', undefined, REQUIRED],
    ['an empty body', '', undefined, REQUIRED],
    ['another scheme alone', '{}', 'Basic dTpw', REQUIRED],
    ['an empty header alone', '{}', '', REQUIRED],
    ['null beside a bearer', '{"refresh":null}', 'Bearer a', '{"refresh":["This field may not be null."]}'],
    ['a blank beside a bearer', '{"refresh":" "}', 'Bearer a', '{"refresh":["This field may not be blank."]}'],
    ['a list beside a bearer', '{"refresh":[]}', 'Bearer a', '{"refresh":["Not a valid string."]}'],
    ['all_sessions as a text', '{"refresh":"r","all_sessions":"true"}', undefined, NOT_A_BOOLEAN],
    ['all_sessions as a number', '{"refresh":"r","all_sessions":1}', undefined, NOT_A_BOOLEAN],
    ['all_sessions null', '{"refresh":"r","all_sessions":null}', undefined, NOT_A_BOOLEAN],
    [
      'two faults at once',
      '{"all_sessions":[]}',
      undefined,
      '{"refresh":["This field is required."],"all_sessions":["Must be a valid boolean."]}',
    ],
  ];
  for (const [title, body, authorization, answer] of refused) {
    it(`refuses ${title} without asking the service`, async () => {
      const { status, text } = await gateway.post(LOGOUT, body, authorization === undefined ? {} : { authorization });
      expect([status, text]).to.deep.equal([400, answer]);
      expect(gateway.service.calls).to.be.empty;
    });
  }

  for (const authorization of ['Bearer', 'Bearer  ', 'bearer a b']) {
    it(`answers 401 for the malformed "${authorization}" alone`, async () => {
      const { status, headers, text } = await gateway.post(LOGOUT, {}, { authorization });
      expect([status, text]).to.deep.equal([401, '{"detail":"Token is invalid","code":"token_not_valid"}']);
      expect(headers.get('www-authenticate')).to.equal('Bearer realm="api"');
      expect(gateway.service.calls).to.be.empty;
    });
  }

  it('reads all_sessions from a form, exactly true or false', async () => {
    expect((await gateway.post(LOGOUT, 'refresh=r&all_sessions=true', FORM)).status).to.equal(200);
    expect(gateway.service.lastCall?.request).to.include({ allSessions: true });
    expect((await gateway.post(LOGOUT, 'refresh=r&all_sessions=false', FORM)).status).to.equal(200);
    expect(gateway.service.lastCall?.request).to.include({ allSessions: false });
    for (const value of ['True', '1', 'on', '', 'true%20']) {
      const { status, text } = await gateway.post(LOGOUT, `refresh=r&all_sessions=${value}`, FORM);
      expect([status, text], value).to.deep.equal([400, NOT_A_BOOLEAN]);
    }
  });

  it('reads a multipart form', async () => {
    const body = new FormData();
    body.append('refresh', 'r');
    body.append('all_sessions', 'true');
    expect((await gateway.ask(LOGOUT, { method: 'POST', body })).text).to.equal('{}');
    expect(gateway.service.lastCall?.request).to.include({ refreshToken: 'r', allSessions: true });
  });

  it('answers 401 for a bad token', async () => {
    gateway.service.script = () => {
      throw tokenProblem('BAD_SIGNATURE');
    };
    const { status, text } = await gateway.post(LOGOUT, {}, { authorization: 'Bearer a' });
    expect([status, text]).to.deep.equal([401, '{"detail":"Token is invalid","code":"token_not_valid"}']);
  });
});
