// Tests of cookie mode over HTTP: what a page gets for each thing it can send, to the letter, and when the cookie goes.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { failure, PAIR, tokenProblem } from '../support/scripted-auth-service.js';
import { type Answered, LOGOUT, ORIGIN, REFRESH, RunningGateway, SESSION } from './running-gateway.js';

const NAME = '__Secure-lk-refresh';
const ATTRIBUTES = 'HttpOnly; Secure; SameSite=Strict; Path=/api/auth/';
const STORED = `${NAME}=${PAIR.refresh}; ${ATTRIBUTES}; Max-Age=604800`;
const CLEARED = `${NAME}=; ${ATTRIBUTES}; Max-Age=0`;
const PAGE = { 'x-latchkey-mode': 'cookie', 'sec-fetch-site': 'same-origin' };
const WITH_COOKIE = { ...PAGE, cookie: `${NAME}=old` };
const UNAVAILABLE = '{"detail":"Service temporarily unavailable, try again later.","code":"service_unavailable"}';
const MISSING = '{"detail":"Authentication credentials were not provided.","code":"not_authenticated"}';

describe('gateway: cookie mode', () => {
  let gateway: RunningGateway;
  const start = async (variables: Record<string, string>): Promise<void> => {
    // A week before the refresh token of the scripted service expires.
    gateway = await RunningGateway.start({ variables, unixMs: () => 1_700_000_000_999 });
  };
  before(() => start({ REFRESH_COOKIE: 'true' }));
  after(() => gateway.stop());
  beforeEach(() => gateway.service.reset());

  const post = (path: string, headers: Record<string, string>): Promise<Answered> =>
    gateway.ask(path, { method: 'POST', headers });
  const cookieIn = ({ headers }: Answered): readonly string[] => headers.getSetCookie();
  const fails = (error: Error): void => {
    gateway.service.script = () => {
      throw error;
    };
  };

  it('begins with the refresh token of a login, which it trades for an access token and the cookie', async () => {
    const answer = await gateway.post(SESSION, { refresh: ' old ' }, PAGE);
    expect([answer.status, answer.text]).to.deep.equal([200, `{"access":"${PAIR.access}"}`]);
    expect(cookieIn(answer)).to.deep.equal([STORED]);
    expect(answer.headers.get('cache-control')).to.equal('no-store');
    expect(gateway.service.lastCall).to.include({ method: 'refreshToken' });
    expect(gateway.service.lastCall?.request).to.deep.equal({ refreshToken: 'old' });
  });

  it('takes forms, as latchkey/browser sends them', async () => {
    const form = { ...WITH_COOKIE, 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' };
    const begun = await gateway.post(SESSION, 'refresh=old', form);
    expect([begun.status, begun.text, cookieIn(begun)]).to.deep.equal([200, `{"access":"${PAIR.access}"}`, [STORED]]);
    const refreshed = await gateway.post(REFRESH, '', form);
    expect([refreshed.status, cookieIn(refreshed)]).to.deep.equal([200, [STORED]]);
    for (const all of [false, true]) {
      const ended = await gateway.post(LOGOUT, `all_sessions=${all}`, form);
      expect([ended.status, ended.text, cookieIn(ended)]).to.deep.equal([200, '{}', [CLEARED]]);
      expect(gateway.service.lastCall?.request).to.include({ refreshToken: 'old', allSessions: all });
    }
  });

  it('refreshes by the cookie', async () => {
    for (const path of [REFRESH, '/api/auth/token/refresh']) {
      const answer = await post(path, WITH_COOKIE);
      expect([answer.status, answer.text]).to.deep.equal([200, `{"access":"${PAIR.access}"}`]);
      expect(cookieIn(answer)).to.deep.equal([STORED]);
      expect(gateway.service.lastCall?.request).to.deep.equal({ refreshToken: 'old' });
    }
  });

  it('logs out by the cookie, everywhere too, and removes it', async () => {
    const one = await post(LOGOUT, WITH_COOKIE);
    expect([one.status, one.text, cookieIn(one)]).to.deep.equal([200, '{}', [CLEARED]]);
    const request = { accessToken: '', refreshToken: 'old', allSessions: false };
    expect(gateway.service.lastCall?.request).to.deep.equal(request);
    const all = await gateway.post(LOGOUT, { all_sessions: true }, { ...WITH_COOKIE, authorization: 'Bearer a' });
    expect([all.status, all.text, cookieIn(all)]).to.deep.equal([200, '{}', [CLEARED]]);
    expect(gateway.service.lastCall?.request).to.deep.equal({ ...request, accessToken: 'a', allSessions: true });
  });

  it('removes the cookie when its token is bad', async () => {
    for (const [reason, detail] of [
      ['EXPIRED', 'Token is expired'],
      ['REVOKED', 'Token is blacklisted'],
      ['REUSED', 'Token is blacklisted'],
      ['MALFORMED', 'Token is invalid'],
    ] as const) {
      fails(tokenProblem(reason));
      for (const path of [REFRESH, LOGOUT]) {
        const answer = await post(path, WITH_COOKIE);
        expect([answer.status, cookieIn(answer)]).to.deep.equal([401, [CLEARED]]);
        expect(answer.headers.get('www-authenticate')).to.equal('Bearer realm="api"');
        expect(answer.text).to.equal(`{"detail":"${detail}","code":"token_not_valid"}`);
      }
    }
  });

  it('never removes the cookie while the service cannot answer, whatever that says', async () => {
    const failures = [
      ...[status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.INTERNAL, status.UNKNOWN].map((code) => failure(code)),
      tokenProblem('EXPIRED', 'mesh.example'),
    ];
    for (const error of failures) {
      fails(error);
      for (const path of [REFRESH, LOGOUT]) {
        const answer = await post(path, WITH_COOKIE);
        expect([answer.status, answer.text, cookieIn(answer)]).to.deep.equal([503, UNAVAILABLE, []]);
      }
    }
    gateway.service.script = () => {};
    gateway.service.answer = () => ({ tokens: undefined });
    const answer = await post(REFRESH, WITH_COOKIE);
    expect([answer.status, cookieIn(answer)]).to.deep.equal([503, []]);
  });

  it('removes nothing when a login fails: the cookie is of another session', async () => {
    fails(tokenProblem('EXPIRED'));
    const answer = await gateway.post(SESSION, { refresh: 'old' }, WITH_COOKIE);
    expect([answer.status, cookieIn(answer)]).to.deep.equal([401, []]);
  });

  it('answers 401 without a cookie, and removes none, which a login under way may just have set', async () => {
    for (const cookie of ['', 'other=1', `${NAME}=`, 'lk-refresh=a']) {
      const answer = await post(REFRESH, { ...PAGE, cookie });
      expect([answer.status, answer.text, cookieIn(answer)]).to.deep.equal([401, MISSING, []]);
    }
    const out = await post(LOGOUT, PAGE);
    expect([out.status, out.text, cookieIn(out)]).to.deep.equal([401, MISSING, [CLEARED]]);
    expect(gateway.service.calls).to.be.empty;
  });

  it('refuses two cookies of the name, and neither trades nor ends nor removes anything', async () => {
    for (const path of [REFRESH, LOGOUT]) {
      const answer = await post(path, { ...PAGE, cookie: `${NAME}=old; a=1; ${NAME}=tossed` });
      expect([answer.status, cookieIn(answer)]).to.deep.equal([400, []]);
      expect(answer.text).to.equal(
        `{"detail":"More than one cookie ${NAME}: another host of this domain has set one."}`,
      );
    }
    const lines = [`POST ${REFRESH} HTTP/1.1`, 'Host: a', 'X-Latchkey-Mode: cookie', 'Sec-Fetch-Site: same-origin'];
    const cookies = [`Cookie: ${NAME}=old`, `Cookie: ${NAME}=tossed`, 'Connection: close', '', ''];
    expect(await gateway.raw([...lines, ...cookies].join('\r\n'))).to.match(/^HTTP\/1.1 400 /);
    expect(gateway.service.calls).to.be.empty;
  });

  it('refuses a refresh token beside the cookie, and one that no cookie can hold', async () => {
    for (const path of [REFRESH, LOGOUT]) {
      const answer = await gateway.post(path, { refresh: 'other' }, WITH_COOKIE);
      const fault = 'In cookie mode the token comes in the cookie: leave this field out.';
      expect([answer.status, answer.text]).to.deep.equal([400, `{"refresh":["${fault}"]}`]);
    }
    const large = await gateway.post(SESSION, { refresh: 'x'.repeat(3_073) }, PAGE);
    expect(large.text).to.contain('no more than 3072 characters');
    const missing = await gateway.post(SESSION, {}, PAGE);
    expect(missing.text).to.equal('{"refresh":["This field is required."]}');
    expect(gateway.service.calls).to.be.empty;
    expect((await gateway.post(SESSION, { refresh: 'x'.repeat(3_072) }, PAGE)).status).to.equal(200);
  });

  it('answers 403 to every request that no allowed page can have made, and asks nothing of the service', async () => {
    const { 'x-latchkey-mode': mode, 'sec-fetch-site': site, ...rest } = WITH_COOKIE;
    for (const [path, headers] of [
      ...[REFRESH, LOGOUT, SESSION].flatMap((each): [string, Record<string, string>][] => [
        [each, { ...rest, 'x-latchkey-mode': mode }],
        [each, { ...WITH_COOKIE, 'sec-fetch-site': 'none' }],
        [each, { ...WITH_COOKIE, 'sec-fetch-site': 'same-site' }],
        [each, { ...WITH_COOKIE, 'sec-fetch-site': 'same-site', origin: 'https://evil.example.com' }],
        [each, { ...WITH_COOKIE, 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }],
        [each, { ...WITH_COOKIE, 'sec-fetch-site': 'cross-site', origin: 'null' }],
        [each, { ...WITH_COOKIE, origin: 'https://evil.test' }],
      ]),
      [SESSION, { ...rest, 'sec-fetch-site': site }],
    ] as [string, Record<string, string>][]) {
      const answer = await gateway.post(path, path === SESSION ? { refresh: 'r' } : {}, headers);
      expect([answer.status, cookieIn(answer)], JSON.stringify(headers)).to.deep.equal([403, []]);
      expect(answer.text).to.match(/^\{"detail":"[^"]+","code":"csrf_failed"\}$/);
    }
    expect(gateway.service.calls).to.be.empty;
  });

  it('serves the page of a listed origin, whatever its site', async () => {
    for (const site of ['same-site', 'cross-site', 'same-origin']) {
      const answer = await post(REFRESH, { ...WITH_COOKIE, 'sec-fetch-site': site, origin: ORIGIN });
      expect([answer.status, cookieIn(answer)]).to.deep.equal([200, [STORED]]);
      expect(answer.headers.get('access-control-allow-origin')).to.equal(ORIGIN);
    }
  });

  it('ignores the cookie without the header, and answers as ever', async () => {
    const { 'x-latchkey-mode': _mode, ...plain } = WITH_COOKIE;
    const refresh = await post(REFRESH, plain);
    expect([refresh.status, refresh.text]).to.deep.equal([400, '{"refresh":["This field is required."]}']);
    const logout = await post(LOGOUT, plain);
    expect([logout.status, logout.text]).to.deep.equal([400, '{"refresh":["This field is required."]}']);
    const traded = await gateway.post(REFRESH, { refresh: 'r' }, plain);
    expect(traded.text).to.equal(`{"access":"${PAIR.access}","refresh":"${PAIR.refresh}"}`);
    const ended = await gateway.post(LOGOUT, { refresh: 'r' }, plain);
    expect([ended.status, ended.text]).to.deep.equal([200, '{}']);
    for (const answer of [refresh, logout, traded, ended]) expect(cookieIn(answer)).to.deep.equal([]);
  });

  it('refuses another mode, rather than to answer with a refresh token', async () => {
    for (const mode of ['Cookie', 'body', 'cookie, cookie', '']) {
      const answer = await gateway.post(REFRESH, { refresh: 'r' }, { ...PAGE, 'x-latchkey-mode': mode });
      expect([answer.status, answer.text]).to.deep.equal([400, '{"detail":"X-Latchkey-Mode must be \\"cookie\\"."}']);
    }
  });

  it('writes no token into its log', async () => {
    const before = gateway.log.length;
    await post(REFRESH, { ...PAGE, cookie: `${NAME}=eyJhbGciOiJIUzI1NiJ9.secret` });
    const lines = JSON.stringify(await gateway.logged(before, '/api/auth/token/refresh'));
    expect(lines).to.not.match(/secret|eyJ|next\./);
  });
});

describe('gateway: cookie mode by its settings', () => {
  const PAGE_OF = (headers: Record<string, string> = {}) => ({ method: 'POST', headers: { ...PAGE, ...headers } });
  const withGateway = async (variables: Record<string, string>, run: (gateway: RunningGateway) => Promise<void>) => {
    const gateway = await RunningGateway.start({ variables, unixMs: () => 1_700_000_000_000 });
    await run(gateway).finally(() => gateway.stop());
  };

  it('is off by default: such requests get one clear answer, and there is no path to begin at', () =>
    withGateway({}, async (gateway) => {
      const off = '{"detail":"Cookie mode is off: set REFRESH_COOKIE on the gateway."}';
      for (const path of [REFRESH, LOGOUT]) {
        const { status: code, text } = await gateway.ask(path, PAGE_OF());
        expect([code, text]).to.deep.equal([400, off]);
      }
      expect((await gateway.ask(SESSION, PAGE_OF())).status).to.equal(404);
    }));

  it('has the prefix __Host- and the path / where the host is its own', () =>
    withGateway({ REFRESH_COOKIE: 'host' }, async (gateway) => {
      const { headers } = await gateway.ask(REFRESH, PAGE_OF({ cookie: '__Host-lk-refresh=old' }));
      const attributes = 'HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=604800';
      expect(headers.getSetCookie()).to.deep.equal([`__Host-lk-refresh=${PAIR.refresh}; ${attributes}`]);
      expect((await gateway.ask(REFRESH, PAGE_OF({ cookie: `${NAME}=old` }))).status).to.equal(401);
    }));

  it('works on localhost without TLS for development, and at no other host', () =>
    withGateway({ REFRESH_COOKIE: 'localhost' }, async (gateway) => {
      const { headers } = await gateway.ask(REFRESH, PAGE_OF({ cookie: 'lk-refresh=old' }));
      expect(headers.getSetCookie()).to.deep.equal([
        `lk-refresh=${PAIR.refresh}; HttpOnly; SameSite=Strict; Path=/api/auth/; Max-Age=604800`,
      ]);
      const head = ['Host: app.example.com', 'X-Latchkey-Mode: cookie', 'Sec-Fetch-Site: same-origin'];
      const lines = [`POST ${REFRESH} HTTP/1.1`, ...head, 'Connection: close', '', ''];
      expect(await gateway.raw(lines.join('\r\n'))).to.match(/^HTTP\/1.1 403 [\s\S]*for http:\/\/localhost alone/);
    }));

  it('lets pages of listed origins send the header and, where the setting says so, the cookie', () =>
    withGateway({ REFRESH_COOKIE: 'true', CORS_CREDENTIALS: 'true' }, async (gateway) => {
      const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-latchkey-mode' };
      const { headers } = await gateway.ask(SESSION, { method: 'OPTIONS', headers: { origin: ORIGIN, ...asked } });
      expect(headers.get('access-control-allow-headers')?.split(', ')).to.include('x-latchkey-mode');
      expect(headers.get('access-control-allow-credentials')).to.equal('true');
      const other = { origin: 'https://evil.test', ...asked };
      const refused = await gateway.ask(SESSION, { method: 'OPTIONS', headers: other });
      expect(refused.headers.has('access-control-allow-origin')).to.equal(false);
    }));
});
