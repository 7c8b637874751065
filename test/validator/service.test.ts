// The proof of a validator in front of the real service: it says what the service says, and never what it cannot know.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { buildValidator } from '../../src/validator/build-validator.js';
import { CannotTell } from '../../src/validator/errors.js';
import * as forge from '../attacks/forge.js';
import { type RunningNode, type ServiceNode, Stage } from '../e2e/stage.js';
import { foreign } from '../e2e/tokens.js';
import type { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { holdsFor, until } from '../support/waiting.js';
import { HandClock } from './hand-clock.js';
import { anew } from './scripted-service.js';

const LONG_AGO = '2020-01-01T00:00:00Z';
const { authentic, authenticHs256, goodClaims } = forge;

describe('a validator of the real service', () => {
  const stage = new Stage();
  const validators: Validator[] = [];
  let redis: RedisServer;
  let env: Record<string, string>;
  let node: ServiceNode;
  /** A node of its own store that takes another issuer's tokens. */
  let adopting: RunningNode;
  let clock: HandClock;
  before(async () => {
    redis = await stage.redis();
    const folder = await stage.folder();
    writeFileSync(join(folder, 'es256.pem'), forge.ecPem, { mode: 0o600 });
    env = { JWT_KEYS_DIR: folder, JWT_ISSUER: forge.ISSUER, JWT_AUDIENCE: 'api,web' };
    node = await stage.serve(redis, env);
    adopting = await stage.serveHere(await stage.folder(), {
      ...env,
      ADOPT_TOKENS: 'simplejwt',
      SESSIONS_SINCE: LONG_AGO,
    });
    // A session must start after the birth of the store.
    const { accessToken } = await node.client.issue();
    await until(async () => (await node.client.verdict(accessToken)) === 'active');
  });
  after(() => stage.clear());
  beforeEach(() => {
    clock = new HandClock(true);
  });
  afterEach(async () => {
    for (const each of validators.splice(0)) await each.close();
  });

  async function validator(options: Partial<ValidatorOptions> = {}): Promise<Validator> {
    const made = buildValidator({ address: node.process.address, deadline: '10s', ...options }, { clock });
    validators.push(made);
    await made.ready();
    return made;
  }

  async function proxied(options: Partial<ValidatorOptions> = {}): Promise<{ each: Validator; proxy: TcpProxy }> {
    const proxy = await TcpProxy.start(Number(node.process.address.split(':')[1]));
    stage.owns(() => proxy.stop());
    return { each: await validator({ address: `127.0.0.1:${proxy.port}`, ...options }), proxy };
  }

  const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error);
  const nameOf = async (each: Validator, token: string): Promise<string> => {
    const result = await each.validate(token);
    return result.active ? 'active' : result.problem;
  };

  /** Tokens of all kinds, by what is wrong with them; whether that can be known without the service. */
  function corpus(): Record<string, { token: string; isKnown: boolean }> {
    const good = authentic(goodClaims());
    const known = (token: string) => ({ token, isKnown: true });
    const asked = (token: string) => ({ token, isKnown: false });
    return {
      good: asked(good),
      hs256: asked(authenticHs256(goodClaims())),
      'forged hs256': asked(authenticHs256(goodClaims(), {}, 'x'.repeat(40))),
      'another issuer\u2019s': asked(foreign('access', { role: 'staff' })),
      forged: known(`${good.slice(0, -60)}${'A'.repeat(60)}`),
      'another algorithm': known(authentic(goodClaims(), { alg: 'HS256' })),
      'not canonical': known(`${good}=`),
      'no token': known('abc'),
      'three words': known('a.b.c'),
      empty: known(''),
      oversized: known(`${good}${'A'.repeat(8_192)}`),
      'a refresh token': asked(forge.authenticRefresh(forge.goodRefreshClaims())),
      'the type of a refresh token': known(authentic(goodClaims({ token_type: 'refresh' }))),
      'no subject': known(authentic(goodClaims({ sub: undefined }))),
      'an odd session': known(authentic(goodClaims({ sid: 'x' }))),
      'a foreign audience': known(authentic(goodClaims({ aud: 'other' }))),
      'a foreign issuer': known(authentic(goodClaims({ iss: 'https://other.example' }))),
      'not yet valid': asked(authentic(goodClaims({ nbf: Math.floor(Date.now() / 1000) + 60 }))),
      expired: known(authentic(goodClaims({ iat: 1_600_000_000, exp: 1_600_000_300 }))),
      'an unknown key': asked(authentic(goodClaims(), { kid: 'unknown' })),
      'a critical extension': known(authentic(goodClaims(), { crit: ['x'] })),
    };
  }

  it('says of every kind of token what the service says, and asks only about what it cannot know', async () => {
    const each = await validator({ audience: ['api', 'web'], issuer: forge.ISSUER });
    // From one authentic token on, the time of the store is known.
    await each.validate(authentic(goodClaims()));
    for (const [name, { token, isKnown }] of Object.entries(corpus())) {
      // ValidateToken refuses empty and oversized texts as requests; ValidateTokens calls them malformed.
      const [said] = await node.client.validateMany([token]);
      const wanted = said?.validation?.active ? 'active' : await problemOf(token);
      const { asks } = each.state();
      expect(await nameOf(each, anew(token)), name).to.equal(wanted);
      expect(each.state().asks - asks, name).to.equal(isKnown ? 0 : 1);
      expect(await nameOf(each, anew(token)), name).to.equal(wanted);
    }
  });

  async function problemOf(token: string): Promise<string> {
    const usable = token === '' || token.length > 8_192 ? 'abc' : token;
    return node.client.verdict(usable);
  }

  it('gives the fields and the claims that the service gives, of each algorithm and of adopted tokens', async () => {
    const claims = { role: 'admin', scopes: ['a', 'b'], nested: { deep: [1, null, true] } };
    for (const [of, token] of [
      [node, authentic(goodClaims(claims))],
      [node, authenticHs256(goodClaims(claims))],
      [adopting, foreign('access', claims)],
    ] as const) {
      const said = await of.client.validate(token, true);
      const each = await validator({ address: of.process.address });
      expect(await each.validate(token)).to.deep.equal({
        ...{ active: true, subject: said.subject, sessionId: said.sessionId, tokenId: said.tokenId },
        ...{ issuedAt: said.issuedAt, expiresAt: said.expiresAt, claims: said.claims },
        ...{ issuer: said.issuer || undefined, audience: said.audience },
      });
      expect(said.claims).to.deep.include(claims);
    }
  });

  it('refuses an adopted token, which names no issuer or audience of ours, where one is required', async () => {
    const address = adopting.process.address;
    const token = foreign('access', { aud: 'api', iss: 'https://id.example' });
    expect(await nameOf(await validator({ address }), token)).to.equal('active');
    expect(await nameOf(await validator({ address, audience: 'api' }), token)).to.equal('WRONG_AUDIENCE');
    expect(await nameOf(await validator({ address, issuer: 'https://id.example' }), token)).to.equal('WRONG_ISSUER');
  });

  it('gives results that no caller can change for the others', async () => {
    const each = await validator();
    const result = await each.validate(authentic(goodClaims({ roles: ['user'] })));
    if (!result.active) throw new Error('not active');
    const { roles } = result.claims as { roles: string[] };
    expect(() => roles.push('admin')).to.throw(TypeError);
    expect(() => Object.assign(result, { subject: 'root' })).to.throw(TypeError);
  });

  it('holds an HS256 token to its own audience, which no key here can read', async () => {
    const each = await validator({ audience: 'web' });
    expect(await nameOf(each, authenticHs256(goodClaims({ aud: ['web', 'api'] })))).to.equal('active');
    expect(await nameOf(each, authenticHs256(goodClaims({ aud: 'api' })))).to.equal('WRONG_AUDIENCE');
    expect(await nameOf(each, authentic(goodClaims({ aud: 'api' })))).to.equal('WRONG_AUDIENCE');
  });

  it('is never made to say "active" of a token that ends like a good one', async () => {
    const each = await validator();
    const token = authentic(goodClaims());
    expect(await nameOf(each, token)).to.equal('active');
    const [header = '', , signature = ''] = token.split('.');
    const other = `${header}.${forge.encode(goodClaims({ sub: 'root' }))}.${signature}`;
    expect(each.validateNow(other)).to.deep.equal({ active: false, problem: 'BAD_SIGNATURE' });
    expect(each.validateNow(token)).to.include({ active: true });
  });

  it('knows a logout at once where it is strict, and everywhere before maxStaleness is over', async () => {
    const each = await validator({ maxStaleness: '300ms' });
    for (let n = 0; n < 20; n++) {
      const { accessToken } = await node.client.issue(`user-${n}`);
      expect(await nameOf(each, accessToken)).to.equal('active');
      await node.client.logout({ accessToken });
      const outMs = performance.now();
      if (n % 2 === 0)
        expect(await each.validate(accessToken, { consistency: 'strict' })).to.include({ problem: 'REVOKED' });
      await holdsFor(outMs + 310 - performance.now(), () => {
        const passedMs = performance.now() - outMs;
        if (each.validateNow(accessToken)?.active) expect(passedMs).to.be.below(300.5);
      });
      expect(each.validateNow(accessToken)?.active).not.to.equal(true);
    }
  });

  it('counts the age of an answer from the sending of its call, however slow the answer was', async () => {
    const { each, proxy } = await proxied({ maxStaleness: '1s', deadline: '3s' });
    const { accessToken } = await node.client.issue();
    proxy.delay(600);
    const call = each.validate(accessToken);
    await until(() => each.state().callsUnderWay === 1);
    const sentMs = performance.now();
    await node.client.logout({ accessToken });
    // The service may have read the session before or after the logout.
    await call;
    await until(() => performance.now() > sentMs + 1_000);
    expect(each.validateNow(accessToken)?.active).not.to.equal(true);
  });

  it('hands out no answer that became too old while the process was stopped', async () => {
    const each = await validator({ maxStaleness: '200ms', deadline: '5s' });
    const { accessToken } = await node.client.issue();
    const call = each.validate(accessToken);
    while (each.state().callsUnderWay === 0) await new Promise((resolve) => setImmediate(resolve));
    // Nothing runs meanwhile, as after SIGSTOP. The answer to the first call waits in the socket.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    expect(await call).to.include({ active: true });
    expect(each.state().calls).to.equal(2);
  });

  it('says neither of a new token while the service is stopped, goes on with what is fresh, and comes back', async () => {
    const each = await validator({ maxStaleness: '2s', deadline: '500ms' });
    const [known, other] = [(await node.client.issue()).accessToken, (await node.client.issue()).accessToken];
    await each.validate(known);
    node.process.child.kill('SIGSTOP');
    try {
      expect(each.validateNow(known)).to.include({ active: true });
      expect(await outcome(each.validate(other))).to.be.instanceOf(CannotTell);
      await until(() => each.validateNow(known) === undefined);
      expect(await outcome(each.validate(known))).to.be.instanceOf(CannotTell);
      expect(each.validateNow('no token')).to.include({ problem: 'MALFORMED' });
    } finally {
      node.process.child.kill('SIGCONT');
    }
    await until(async () => !((await outcome(each.validate(other))) instanceof CannotTell));
    expect(await nameOf(each, known)).to.equal('active');
  });

  it('says neither while its connection is mute, finds that out by itself, and comes back on a new one', async () => {
    const { each, proxy } = await proxied({ maxStaleness: '500ms', deadline: '400ms' });
    const { accessToken } = await node.client.issue();
    await each.validate(accessToken);
    proxy.drop();
    await node.client.logout({ accessToken });
    await until(() => each.validateNow(accessToken) === undefined);
    expect(await outcome(each.validate(accessToken))).to.be.instanceOf(CannotTell);
    proxy.mend();
    await until(async () => !((await outcome(each.validate(accessToken))) instanceof CannotTell));
    expect(await nameOf(each, accessToken)).to.equal('REVOKED');
  });

  it('is not misled by a wall clock that is set: neither into an answer that is too old nor into an end', async () => {
    clock = new HandClock(false);
    const each = await validator({ maxStaleness: '2s' });
    const { accessToken } = await node.client.issue();
    expect(await nameOf(each, accessToken)).to.equal('active');
    clock.step(3_600_000);
    expect(each.validateNow(accessToken)).to.equal(undefined);
    expect(await nameOf(each, accessToken)).to.equal('active');
    expect(each.validateNow(accessToken)).to.include({ active: true });
    clock.step(-7_200_000);
    expect(each.validateNow(accessToken)).to.include({ active: true });
    clock.pass(2_001);
    expect(each.validateNow(accessToken)).to.equal(undefined);
  });

  it('goes on with another node while one is dead', async () => {
    const second = await stage.serve(redis, env);
    const each = await validator({ address: [node.process.address, second.process.address], deadline: '10s' });
    await second.process.kill();
    for (let n = 0; n < 10; n++) {
      const token = authentic(goodClaims({ sub: `user-${n}` }));
      expect(await nameOf(each, token)).to.equal('active');
    }
  });
});
