// Tests of what the processes print: every call once, every event of a session, and never a token or a secret.

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ISSUER_TOKEN, JWT_SECRET } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { elapse, until } from '../support/waiting.js';
import { type Answer, type Browser, LOGOUT, REFRESH } from './browser.js';
import { keyOf } from './entries.js';
import { type ServiceNode, Stage } from './stage.js';
import { expired, foreign, foreignText, nowS } from './tokens.js';

type Line = Record<string, unknown>;

const PASSWORD = 'aPasswordOfRedisForTests42';
const WRONG_CREDENTIAL = 'aWrongCredentialOfALoginBackEnd';
const GRACE_MS = 1_000;

describe('the logs, at the finest level', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let redis: RedisServer;
  let node: ServiceNode;
  let browser: Browser;
  /** Every token that was sent or answered. */
  const tokens: string[] = [];
  const outcomes = new Map<string, { readonly status: number; readonly requestId: string }>();

  const keep = <T extends { accessToken: string; refreshToken: string }>(pair: T): T => {
    tokens.push(pair.accessToken, pair.refreshToken);
    return pair;
  };
  const issue = async (subject: string) => keep(await node.client.issue(subject, { role: 'admin' }));
  const refresh = async (token: string) => keep(await node.client.refresh(token));

  /** A request with an id of its own, by which its lines are found. */
  async function ask(
    what: string,
    path: string,
    document: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const requestId = randomUUID();
    const answer = await browser.post(path, document, { 'x-request-id': requestId, ...headers });
    expect(answer.headers.get('x-request-id')).to.equal(requestId);
    tokens.push(...(answer.text.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []));
    outcomes.set(what, { status: answer.status, requestId });
    return answer;
  }

  const lineOf = (lines: () => Line[], msg: string, requestId: string | undefined): Line[] =>
    lines().filter((line) => line['msg'] === msg && line['requestId'] === requestId);
  const callOf = (what: string): Line[] => lineOf(node.process.lines, 'call', outcomes.get(what)?.requestId);
  const requestOf = (what: string): Line[] => lineOf(browser.process.lines, 'request', outcomes.get(what)?.requestId);
  const events = (): Line[] =>
    node.process.lines().flatMap(({ audit }) => (audit === undefined ? [] : [audit as Line]));

  before(async () => {
    redis = await stage.redis('--requirepass', PASSWORD);
    const env = { LOG_LEVEL: 'trace', REFRESH_GRACE: `${GRACE_MS}ms`, ADOPT_TOKENS: 'simplejwt' };
    node = await stage.serve(redis, env);
    browser = await stage.gateway(node, { LOG_LEVEL: 'trace' });
    await everyFlow();
    // A line is written after its answer.
    await until(() => [...outcomes.keys()].every((what) => requestOf(what).length > 0), 30_000);
  });
  after(() => stage.clear());

  async function everyFlow(): Promise<void> {
    const { client } = node;
    const gone = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);

    const reused = await issue('reused');
    await ask('refresh', REFRESH, { refresh: reused.refreshToken });
    await ask('replay', REFRESH, { refresh: reused.refreshToken });
    const healed = [await issue('healed')];
    healed.push(await refresh(healed[0]?.refreshToken ?? ''));
    const key = await keyOf(redis, healed[0]?.sessionId ?? '');
    const older = (await redis.raw.get(key)) ?? '';
    healed.push(await refresh(healed[1]?.refreshToken ?? ''));
    await redis.raw.set(key, older, 'KEEPTTL');
    await refresh(healed[2]?.refreshToken ?? '');
    const lost = await refresh((await issue('lost')).refreshToken);
    await redis.raw.del(await keyOf(redis, lost.sessionId));
    await ask('lost', REFRESH, { refresh: lost.refreshToken });

    const out = await issue('out');
    expect(await client.verdict(out.accessToken)).to.equal('active');
    await client.validate(out.accessToken, true);
    await ask('logout', LOGOUT, { refresh: out.refreshToken }, { authorization: `Bearer ${out.accessToken}` });
    await ask('blacklisted', REFRESH, { refresh: out.refreshToken });
    expect(await client.verdict(out.accessToken)).to.equal('REVOKED');
    const everywhere = await issue('everywhere');
    await ask('all sessions', LOGOUT, { refresh: everywhere.refreshToken, all_sessions: true });
    await client.revokeSubject('everywhere');
    await gone(client.issue('alice', {}, WRONG_CREDENTIAL));
    await gone(client.revokeSubject('alice', WRONG_CREDENTIAL));
    await gone(client.issue('alice', { sub: ISSUER_TOKEN }));

    const { accessToken, refreshToken, sessionId } = await issue('bad input');
    const [head, payload, signature] = refreshToken.split('.');
    const old = expired('refresh', sessionId, 'bad input');
    const adopted = [
      foreign('refresh', { iat: nowS() + 1 }),
      foreign('refresh', { exp: 'soon' }),
      foreignText('no JSON'),
    ];
    tokens.push(old, ...adopted);
    await ask('expired', REFRESH, { refresh: old });
    for (const [n, token] of adopted.entries()) await ask(`adopted ${n}`, REFRESH, { refresh: token });
    await ask('broken JSON', REFRESH, `{"refresh": "${refreshToken}"`);
    await ask('broken JSON first', REFRESH, `${refreshToken} {"refresh": 1}`);
    await ask('a token as a name', REFRESH, { [refreshToken]: refreshToken });
    await ask('no object', REFRESH, [refreshToken]);
    await ask('oversized', REFRESH, { refresh: refreshToken + 'A'.repeat(9_000) });
    await ask('far oversized', REFRESH, { refresh: refreshToken + 'A'.repeat(20_000) });
    await ask('wrong kind', REFRESH, { refresh: accessToken });
    await ask('forged', REFRESH, {
      refresh: `${head}.${payload}.${(signature?.startsWith('A') ? 'B' : 'A') + signature?.slice(1)}`,
    });
    await ask('bad bearer', LOGOUT, {}, { authorization: `Bearer ${accessToken} ${accessToken}` });
    await ask('in the query', `${REFRESH}?refresh=${refreshToken}`, {});
    await ask('in the path', `/api/${refreshToken}/`, {});
    await ask('as a media type', REFRESH, 'x', { 'content-type': `text/${accessToken.slice(0, 100)}` });
    await browser.post(REFRESH, {}, { 'x-request-id': refreshToken });
    for (const bad of [refreshToken, `${accessToken}x`, 'x'.repeat(9_000), `${head}.${payload}`])
      await client.verdict(bad).catch(() => '');
    await gone(client.refresh(refreshToken + 'A'.repeat(100_000)));

    await elapse(GRACE_MS + 100, 'the window ends');
    await ask('reuse', REFRESH, { refresh: reused.refreshToken });
    await redis.kill();
    await ask('store away', REFRESH, { refresh: refreshToken });
    await gone(client.validate(accessToken));
    await gone(client.logout({ accessToken, refreshToken }));
    await gone(client.issue('store away'));
    await redis.restart();
    await until(async () => (await client.health()) === 'SERVING', 30_000);
    await node.process.stop();
    await ask('service away', LOGOUT, { refresh: refreshToken });
    await browser.process.stop();
  }

  it('hold no token, no part of one, and no secret', () => {
    expect(tokens.length).to.be.at.least(30);
    const parts = tokens.flatMap((token) => token.split('.').slice(1)).filter((part) => part.length > 15);
    const secrets = [JWT_SECRET, ISSUER_TOKEN, WRONG_CREDENTIAL, PASSWORD, encodeURIComponent(JWT_SECRET)];
    for (const [name, output] of [
      ['service', node.process.output()],
      ['gateway', browser.process.output()],
    ] as const) {
      expect(output.length, name).to.be.above(1_000);
      for (const secret of [...parts, ...secrets])
        expect(output.includes(secret), `${name}: ${secret}`).to.equal(false);
      expect(output, name).not.to.match(/eyJ[\w-]{10}/);
    }
  });

  it('are JSON, line by line, each with a time, a level and a message', () => {
    for (const { output, lines } of [node.process, browser.process]) {
      expect(lines()).to.have.length(output().trimEnd().split('\n').length);
      for (const line of lines()) expect(line).to.include.keys('time', 'level', 'msg');
    }
  });

  it('hold one line a call: its method, status, problem, duration, session and request id', () => {
    const wanted: Readonly<Record<string, readonly [status: number, fields: Line]>> = {
      refresh: [200, { method: 'RefreshToken', status: 'OK', level: 'info' }],
      replay: [200, { method: 'RefreshToken', status: 'OK' }],
      lost: [401, { method: 'RefreshToken', status: 'UNAUTHENTICATED', problem: 'REVOKED' }],
      logout: [200, { method: 'Logout', status: 'OK' }],
      blacklisted: [401, { method: 'RefreshToken', status: 'UNAUTHENTICATED', problem: 'REVOKED', why: 'logout' }],
      expired: [401, { method: 'RefreshToken', status: 'UNAUTHENTICATED', problem: 'EXPIRED' }],
      forged: [401, { method: 'RefreshToken', status: 'UNAUTHENTICATED', problem: 'BAD_SIGNATURE' }],
      'wrong kind': [401, { method: 'RefreshToken', status: 'UNAUTHENTICATED', problem: 'WRONG_TYPE' }],
      oversized: [400, { method: 'RefreshToken', status: 'INVALID_ARGUMENT' }],
      reuse: [401, { method: 'RefreshToken', status: 'UNAUTHENTICATED', problem: 'REUSED' }],
      'store away': [503, { method: 'RefreshToken', status: 'UNAVAILABLE' }],
    };
    for (const [what, [status, fields]] of Object.entries(wanted)) {
      expect(outcomes.get(what)?.status, what).to.equal(status);
      const calls = callOf(what);
      expect(calls, what).to.have.length(1);
      expect(calls[0], what).to.include(fields);
      expect(calls[0]?.['durationMs'], what).to.be.a('number').and.be.at.least(0);
    }
    for (const what of ['refresh', 'replay', 'lost', 'logout', 'blacklisted', 'expired', 'reuse']) {
      expect(callOf(what)[0]?.['sessionId'], what).to.match(/^[0-9a-f-]{36}$/);
    }
    const validations = node.process.lines().filter(({ method }) => method === 'ValidateToken');
    expect(validations.filter(({ status, problem }) => status === 'OK' && problem === undefined)).to.have.length(2);
    for (const line of validations.filter(({ status }) => status === 'OK')) expect(line['level']).to.equal('debug');
    expect(validations.map(({ problem }) => problem)).to.include.members(['REVOKED', 'WRONG_TYPE', 'MALFORMED']);
    const issuer = node.process.lines().filter(({ method }) => method === 'IssueToken');
    expect(issuer.map(({ status }) => status)).to.include.members([
      'OK',
      'UNAUTHENTICATED',
      'INVALID_ARGUMENT',
      'UNAVAILABLE',
    ]);
  });

  it('hold one line a request at the gateway, with the id that the browser sent, as at the service', () => {
    for (const [what, { status }] of outcomes) {
      const requests = requestOf(what);
      expect(requests, what).to.have.length(1);
      expect(requests[0], what).to.include({ method: 'POST', status });
      expect(requests[0]?.['durationMs'], what).to.be.a('number');
      // What the gateway refuses itself, or cannot pass on, is no call.
      const passedOn = requests[0]?.['grpcCode'] !== undefined && what !== 'service away';
      expect(callOf(what), what).to.have.length(passedOn ? 1 : 0);
    }
  });

  it('hold the events of every session and subject', () => {
    const of = (event: string): Line[] => events().filter((each) => each['event'] === event);
    const subjects = (event: string): unknown[] => of(event).map(({ subject }) => subject);
    expect(subjects('session_started')).to.include.members(['reused', 'healed', 'lost', 'out', 'everywhere']);
    expect(of('session_refreshed')[0]).to.include({ subject: 'reused', generation: 0 });
    expect(subjects('session_replayed')).to.deep.equal(['reused']);
    expect(subjects('session_healed')).to.deep.equal(['healed']);
    expect(subjects('session_lost')).to.deep.equal(['lost']);
    expect(subjects('session_reused')).to.deep.equal(['reused']);
    expect(subjects('subject_ended')).to.deep.equal(['everywhere', 'everywhere']);
    const ended = of('session_ended').map(({ subject, cause }) => [subject, cause]);
    expect(ended).to.deep.equal([
      ['lost', 'lost'],
      ['out', 'logout'],
      ['reused', 'reuse'],
    ]);
    for (const event of of('session_ended')) expect(event['sessionId']).to.match(/^[0-9a-f-]{36}$/);
    const audited = node.process.lines().filter(({ audit }) => audit !== undefined);
    for (const line of audited) expect(line['requestId']).to.be.a('string');
    const { requestId } = outcomes.get('reuse') ?? {};
    const ofReuse = audited.filter((line) => line['requestId'] === requestId);
    // What every login and refresh brings is on the line of its call, all else on a line of its own.
    expect(ofReuse.map(({ msg, audit }) => [msg, (audit as Line)['event']])).to.deep.equal([
      ['session_ended', 'session_ended'],
      ['session_reused', 'session_reused'],
    ]);
    const routine = audited.filter(({ msg }) => msg === 'call').map(({ audit }) => (audit as Line)['event']);
    expect(new Set(routine)).to.deep.equal(new Set(['session_started', 'session_refreshed', 'session_replayed']));
  });
});
