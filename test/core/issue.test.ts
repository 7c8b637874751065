// Tests of the start of a session: its time, its claims, and refused input.

import { expect } from 'chai';
import { InvalidInput, StoreUnavailable } from '../../src/core/errors.js';
import { sessionStartMs } from '../../src/core/token/session-id.js';
import { failure, Scene } from '../support/scene.js';
import { DAY, POLICY, plainKeys, run, SECOND } from '../support/world.js';

describe('a login', () => {
  it('writes nothing but the births', async () => {
    const scene = new Scene();
    await scene.issue();
    expect(scene.world.size).to.equal(0);
  });

  it('starts after the birth of its shard and after the cut-off of its subject', async () => {
    const scene = new Scene();
    const first = await scene.issue();
    expect(sessionStartMs(first.sessionId)).to.equal(scene.world.nowMs + 1);
    await scene.revokeSubject('alice');
    const second = await scene.issue();
    expect(sessionStartMs(second.sessionId)).to.be.greaterThan(sessionStartMs(first.sessionId));
    expect(await scene.verdict(second.accessToken)).to.equal('active');
  });

  it('carries issuer, audience and the subject by another name where they are configured', async () => {
    const scene = new Scene({ issuer: 'https://id.example', audience: ['a', 'b'], subjectClaim: 'user_id' });
    const { payload } = JSON.parse((await scene.issue('7')).accessToken);
    expect(payload).to.include({ iss: 'https://id.example', sub: '7', user_id: '7' });
    expect(payload.aud).to.deep.equal(['a', 'b']);
  });

  it('refuses names that are taken, what JSON cannot say, and what is nested too deep', async () => {
    const scene = new Scene({ subjectClaim: 'user_id' });
    for (const name of ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'gen', 'token_type', 'user_id']) {
      expect(await failure(scene.issue('alice', { [name]: 'x' })), name).to.equal('RESERVED claims');
    }
    expect(await failure(scene.issue('alice', JSON.parse('{"__proto__":{"a":1}}')))).to.equal('RESERVED claims');
    expect(await failure(scene.issue('alice', { a: { b: [Number.NaN] } }))).to.equal('INVALID claims');
    expect(await failure(scene.issue('alice', { a: Number.POSITIVE_INFINITY }))).to.equal('INVALID claims');
    const deep = JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`);
    expect(await failure(scene.issue('alice', { deep }))).to.equal('INVALID claims');
    expect(await failure(scene.issue('alice', { constructor: 1, toString: null }))).to.equal('none');
  });

  it('writes client_id and scope into both tokens of every pair, and the setting where none is given', async () => {
    const scene = new Scene({ clientId: 'shop' });
    const claimsOf = (token: string) => JSON.parse(token).payload;
    const given = await scene.issue('alice', {}, { clientId: 'mobile app', scope: 'orders:read mail' });
    const next = await scene.refresh(given.refreshToken);
    for (const token of [given.accessToken, given.refreshToken, next.accessToken, next.refreshToken]) {
      expect(claimsOf(token)).to.include({ client_id: 'mobile app', scope: 'orders:read mail' });
    }
    const usual = claimsOf((await scene.issue()).accessToken);
    expect(usual).to.include({ client_id: 'shop' }).and.not.have.property('scope');
    expect(claimsOf((await new Scene().issue()).accessToken)).not.to.have.property('client_id');
  });

  it('refuses a client_id and a scope that OAuth does not know, and their names among claims', async () => {
    const scene = new Scene();
    for (const clientId of ['é', 'a\n', 'x'.repeat(256)]) {
      expect(await failure(scene.issue('alice', {}, { clientId })), clientId).to.equal('INVALID client_id');
    }
    for (const scope of [' a', 'a  b', 'a ', 'a"b', 'a\\b', 'é', 'x'.repeat(1025)]) {
      expect(await failure(scene.issue('alice', {}, { scope })), scope).to.equal('INVALID scope');
    }
    for (const name of ['client_id', 'scope']) {
      expect(await failure(scene.issue('alice', { [name]: 'x' })), name).to.equal('RESERVED claims');
    }
  });

  it('refuses whole numbers that share a double with another, and says where they are', async () => {
    const scene = new Scene();
    for (const number of [2 ** 53, -(2 ** 53), 2 ** 60, 1e16, 1e300, -Number.MAX_VALUE]) {
      const claims = { order: { 'unit ids': [1, { n: number }] } };
      const error = await scene.issue('alice', claims).catch((thrown: unknown) => thrown);
      expect(error, `${number}`).to.be.instanceOf(InvalidInput);
      const { violation } = error as InvalidInput;
      expect(violation).to.include({ field: 'claims', reason: 'INVALID' });
      expect(violation.description).to.match(/^the number at order\["unit ids"\]\[1\]\.n .+: send it as a string$/);
    }
    for (const number of [2 ** 53 - 1, -(2 ** 53 - 1), 0.1, -0, 5e-324, 2 ** 52 - 0.5]) {
      expect(await failure(scene.issue('alice', { a: [number] })), `${number}`).to.equal('none');
    }
  });

  it('names at most the beginning of a long path', async () => {
    const error = await new Scene().issue('alice', { ['💚'.repeat(100_000)]: 2 ** 53 }).catch((thrown) => thrown);
    expect((error as InvalidInput).message.length).to.be.below(400);
    expect((error as InvalidInput).message.isWellFormed()).to.equal(true);
  });

  it('refuses claims that leave no room for growth', async () => {
    const scene = new Scene();
    expect(await failure(scene.issue('alice', { big: 'x'.repeat(6_500) }))).to.equal('none');
    expect(await failure(scene.issue('alice', { big: 'x'.repeat(7_200) }))).to.equal('TOO_LARGE claims');
  });

  it('takes subjects of 1 to 255 bytes of good UTF-8, whatever they say', async () => {
    const scene = new Scene();
    for (const subject of ['x', 'x'.repeat(255), '\u0000', 'a:b{c}\n', '💚'.repeat(63), '__proto__']) {
      const pair = await scene.issue(subject);
      expect(await scene.verdict(pair.accessToken), subject).to.equal('active');
    }
    for (const subject of ['x'.repeat(256), '💚'.repeat(64), '\ud800', 'a\udfff', 'a\ufffd']) {
      expect(await failure(scene.issue(subject)), JSON.stringify(subject)).to.equal('INVALID subject');
    }
  });
});

describe('the births of a store', () => {
  it('deny every session from before a wipe, and no later one', async () => {
    const scene = new Scene();
    const before = await scene.issue();
    scene.world.nowMs += SECOND;
    scene.world.flush();
    const after = await scene.issue();
    expect(await scene.verdict(before.accessToken)).to.equal('REVOKED birth');
    expect(await failure(scene.refresh(before.refreshToken))).to.equal('REVOKED');
    expect(await scene.verdict(after.accessToken)).to.equal('active');
  });

  it('are written for all shards as soon as one is missing', async () => {
    const scene = new Scene();
    await scene.issue('alice');
    for (const shard of [0, 1]) expect(scene.world.get({ kind: 'birth', shard })).to.match(/^1 \d+ born - 0$/);
  });

  it('hold SESSIONS_SINCE only where this process has seen none before', async () => {
    const adoptedSinceMs = DAY;
    const scene = new Scene({ adoptedSinceMs });
    await scene.issue();
    expect(scene.world.get({ kind: 'birth', shard: 0 })).to.match(/ born 86400000 0$/);
    scene.world.flush();
    await scene.issue();
    expect(scene.world.get({ kind: 'birth', shard: 0 })).to.match(/ born - 0$/);
  });
});

describe('a round of births that breaks off', () => {
  it('goes on with the SESSIONS_SINCE that it began with', async () => {
    const scene = new Scene({ adoptedSinceMs: DAY });
    const { bareStore: store, births } = scene.context;
    const { compareAndSet } = store;
    let writes = 0;
    const flaky = (...args: Parameters<typeof compareAndSet>) =>
      writes++ === 1 ? Promise.reject(new StoreUnavailable('late')) : compareAndSet(...args);
    Object.assign(store, { compareAndSet: flaky });
    expect(await failure(run(scene.world, births.write()))).to.equal('UNAVAILABLE');
    await scene.issue('bob');
    await scene.issue('alice');
    for (const shard of [0, 1]) expect(scene.world.get({ kind: 'birth', shard })).to.match(/ born 86400000 0$/);
  });
});

describe('an adopted token', () => {
  const adopted = (claims: Record<string, unknown>): string =>
    JSON.stringify({
      use: 'adopted',
      typ: 'JWT',
      payload: { token_type: 'refresh', jti: 'abc', user_id: '7', ...claims },
    });
  const dates = (nowMs: number) => ({ iat: nowMs / SECOND, exp: nowMs / SECOND + 86_400 });
  let scene: Scene;

  beforeEach(async () => {
    scene = new Scene({ subjectClaim: 'user_id', issuer: 'us' });
    await scene.issue('7');
    scene.world.nowMs += 10 * SECOND;
  });

  it('becomes generation 0 of an ordinary session, always the same', async () => {
    const token = adopted({ ...dates(scene.world.nowMs), role: 'x', sid: 'theirs', gen: 9, iss: 'them', aud: 'them' });
    const pair = await scene.refresh(token);
    const { payload } = JSON.parse(pair.accessToken);
    expect(payload).to.include({ iss: 'us', sub: '7', user_id: '7', role: 'x', gen: 1, sid: pair.sessionId });
    expect(payload).to.not.have.property('aud');
    expect(await scene.refresh(token)).to.deep.equal(pair);
    const next = await scene.refresh(pair.refreshToken);
    expect(next.sessionId).to.equal(pair.sessionId);
    scene.world.nowMs += POLICY.graceMs + SECOND;
    expect(await failure(scene.refresh(token))).to.equal('REUSED');
  });

  it('takes a whole number for a subject, and refuses what is odd with a clear problem', async () => {
    const refresh = (claims: Record<string, unknown>) =>
      failure(scene.refresh(adopted({ ...dates(scene.world.nowMs), ...claims })));
    expect(await refresh({ user_id: 7, jti: 'one' })).to.equal('none');
    for (const user_id of [1.5, null, [], {}, true, '', 2 ** 60]) {
      expect(await refresh({ user_id }), JSON.stringify(user_id)).to.equal('MALFORMED');
    }
    expect(await refresh({ user_id: undefined })).to.equal('MISSING_CLAIM');
    for (const jti of [1, '', null, {}, '\ud800']) expect(await refresh({ jti }), `${jti}`).to.equal('MALFORMED');
    for (const exp of ['1', 1.5, -1, null, 1e300, [], true])
      expect(await refresh({ exp }), `${exp}`).to.equal('MALFORMED');
    expect(await refresh({ iat: undefined })).to.equal('MISSING_CLAIM');
    expect(await refresh({ token_type: 'sliding' })).to.equal('WRONG_TYPE');
    expect(await refresh({ token_type: 7 })).to.equal('MALFORMED');
  });

  it('is refused where a number among its claims could not be carried on', async () => {
    const refresh = (text: string) =>
      failure(scene.refresh(adopted({ ...dates(scene.world.nowMs), jti: text, n: 0 }).replace('"n":0', `"n":${text}`)));
    for (const text of ['175928847299117063', '1e999', '[{"deep":9007199254740993}]']) {
      expect(await refresh(text), text).to.equal('MALFORMED');
    }
    for (const text of ['9007199254740991', '1.5', '[0.1]', '-3']) expect(await refresh(text), text).to.equal('none');
  });

  it('makes no pair past SESSION_MAX, not even within the tolerance', async () => {
    const iat = scene.world.nowMs / SECOND;
    scene.context = scene.node({ subjectClaim: 'user_id', refreshTtlMs: DAY, sessionMaxMs: DAY });
    scene.world.nowMs += DAY + 2 * SECOND;
    expect(await failure(scene.refresh(adopted({ iat, exp: iat + 1e6 })))).to.equal('EXPIRED');
  });

  it("is judged by the other issuer's clock with a tolerance", async () => {
    const nowS = scene.world.nowMs / SECOND;
    const verdict = (iat: number, exp: number, jti: string) => failure(scene.refresh(adopted({ iat, exp, jti })));
    expect(await verdict(nowS + 5, nowS + 60, 'a')).to.equal('none');
    expect(await verdict(nowS + 6, nowS + 60, 'b')).to.equal('NOT_YET_VALID');
    expect(await verdict(nowS - 5, nowS - 4, 'c')).to.equal('none');
    expect(await verdict(nowS - 9, nowS - 5, 'd')).to.equal('EXPIRED');
  });

  it('from before the birth is denied, unless SESSIONS_SINCE vouches for it', async () => {
    const old = adopted(dates(scene.world.nowMs - 60 * SECOND));
    expect(await failure(scene.refresh(old))).to.equal('REVOKED');
    const vouched = new Scene({ subjectClaim: 'user_id', adoptedSinceMs: DAY });
    const pair = await vouched.refresh(old);
    expect(await vouched.verdict(pair.accessToken)).to.equal('active');
    const next = await vouched.refresh(pair.refreshToken);
    expect(await vouched.verdict(next.accessToken)).to.equal('active');
    vouched.world.evict(pair.sessionId);
    expect(await failure(vouched.refresh(next.refreshToken))).to.equal('REVOKED');
    expect(await failure(vouched.refresh(old))).to.equal('REVOKED');
  });

  it('from before the birth is denied for good once its session was ended, or the store wiped', async () => {
    const old = adopted(dates(scene.world.nowMs - 60 * SECOND));
    const vouched = new Scene({ subjectClaim: 'user_id', adoptedSinceMs: DAY });
    const pair = await vouched.refresh(old);
    await vouched.logout(pair.accessToken, '');
    expect(await vouched.verdict(pair.accessToken)).to.equal('REVOKED logout');
    vouched.world.flush();
    expect(await failure(vouched.refresh(old))).to.equal('REVOKED');
    expect(await failure(vouched.refresh(pair.refreshToken))).to.equal('REVOKED');
  });

  it('of the kind access validates, names no session, and cannot log out alone', async () => {
    const access = adopted({ ...dates(scene.world.nowMs), token_type: 'access', exp: scene.world.nowMs / SECOND + 60 });
    expect(await scene.verdict(access)).to.equal('active');
    expect(await failure(scene.logout(access, ''))).to.equal('REQUIRED refresh_token');
    await scene.logout(access, '', true);
    expect(await scene.verdict(access)).to.equal('REVOKED not-before');
  });

  it('that cannot carry our claims is refused before anything is written', async () => {
    const token = adopted({ ...dates(scene.world.nowMs), jti: 'big', big: 'x'.repeat(7_000) });
    expect(await failure(scene.refresh(token))).to.equal('TOO_LARGE refresh_token');
    expect(scene.world.size).to.equal(0);
    expect(plainKeys.signingKid).to.equal('k');
  });
});
