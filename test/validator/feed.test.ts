// The proof of a validator that follows the feed of the real service: what it decides by itself, and what it asks.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeSessionId } from '../../src/core/token/session-id.js';
import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { buildValidator } from '../../src/validator/build-validator.js';
import { CannotTell } from '../../src/validator/errors.js';
import * as forge from '../attacks/forge.js';
import { type RunningNode, Stage } from '../e2e/stage.js';
import { foreign } from '../e2e/tokens.js';
import type { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/waiting.js';
import { goodToken, hs256Token, ScriptedService } from './scripted-service.js';

const { authentic, authenticHs256, goodClaims } = forge;
let made = 0;

/** The claims of a session of its own, which began now. The log of a new store is complete only for a later `iat`. */
function claims(more: Record<string, unknown> = {}): Record<string, unknown> {
  const sid = makeSessionId(Date.now(), Buffer.from(`${made++}`.padStart(10, '0')));
  const iat = Math.floor(Date.now() / 1000) + 9;
  return goodClaims({ sid, gen: 0, jti: `a${sid}.0`, aud: ['api', 'web'], iat, exp: iat + 300, ...more });
}

describe('a validator that follows the feed of the real service', () => {
  const stage = new Stage();
  const validators: Validator[] = [];
  let redis: RedisServer;
  let env: Record<string, string>;
  let node: RunningNode;
  before(async () => {
    redis = await stage.redis();
    const folder = await stage.folder();
    writeFileSync(join(folder, 'es256.pem'), forge.ecPem, { mode: 0o600 });
    env = { JWT_KEYS_DIR: folder, JWT_ISSUER: forge.ISSUER, JWT_AUDIENCE: 'api,web' };
    node = await stage.serveHere(redis, { ...env, ADOPT_TOKENS: 'simplejwt', SESSIONS_SINCE: '2020-01-01T00:00:00Z' });
    const each = await validator();
    await until(() => each.validateNow(authentic(claims()))?.active ?? false);
    await each.close();
  });
  after(() => stage.clear());
  afterEach(async () => {
    for (const each of validators.splice(0)) await each.close();
  });

  async function validator(options: Partial<ValidatorOptions> = {}): Promise<Validator> {
    const made = buildValidator({ address: node.process.address, deadline: '10s', source: 'feed', ...options });
    validators.push(made);
    await made.ready();
    return made;
  }

  const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error);
  const strictly = (each: Validator, token: string) => each.validate(token, { consistency: 'strict' });

  it('decides without a call on tokens that it has never seen, with the fields that the service gives', async () => {
    const each = await validator({ audience: 'web' });
    const token = authentic(claims({ role: 'admin', nested: { deep: [1, null] } }));
    const said = await node.client.validate(token, true);
    expect(each.validateNow(token)).to.deep.equal({
      ...{ active: true, subject: said.subject, sessionId: said.sessionId, tokenId: said.tokenId },
      ...{ issuedAt: said.issuedAt, expiresAt: said.expiresAt, claims: said.claims },
      ...{ issuer: said.issuer, audience: said.audience },
    });
    expect(await strictly(each, authentic(claims()))).to.include({ active: true });
    expect(each.state()).to.include({ asks: 0, calls: 0, decided: 2, feed: 'following', phase: 'fresh' });
  });

  it('refuses without a call what the service would refuse, by its settings and by its own', async () => {
    const each = await validator({ audience: 'web' });
    const problems = {
      BAD_SIGNATURE: `${authentic(claims()).slice(0, -60)}${'A'.repeat(60)}`,
      WRONG_AUDIENCE: authentic(claims({ aud: 'api' })),
      WRONG_ISSUER: authentic(claims({ iss: 'https://other.example' })),
      EXPIRED: authentic(claims({ iat: 1_600_000_000, exp: 1_600_000_300 })),
      MALFORMED: 'abc',
      WRONG_TYPE: authentic(claims({ token_type: 'refresh' })),
    };
    for (const [problem, token] of Object.entries(problems)) {
      expect(each.validateNow(token), problem).to.deep.equal({ active: false, problem });
      expect(each.validateNow(token), problem).to.deep.equal({ active: false, problem });
    }
    expect(each.state().asks).to.equal(0);
  });

  it('asks about what it cannot know: HS256, adopted tokens, unknown keys, tokens from before the log', async () => {
    const each = await validator();
    const asked = {
      hs256: authenticHs256(claims()),
      adopted: foreign('access', {}),
      'an unknown key': authentic(claims(), { kid: 'unknown' }),
      'from before the log': authentic(claims({ iat: Math.floor(Date.now() / 1000) - 60 })),
      'ahead of the time': authentic(claims({ iat: Math.floor(Date.now() / 1000) + 60 })),
    };
    for (const [name, token] of Object.entries(asked)) {
      const { asks } = each.state();
      const said = await node.client.verdict(token);
      const result = await each.validate(token);
      expect(result.active ? 'active' : result.problem, name).to.equal(said);
      expect(each.state().asks - asks, name).to.equal(1);
    }
  });

  it('knows an acknowledged logout where it is strict, in every process, and soon after it everywhere', async () => {
    const two = [await validator(), await validator({ maxStaleness: '1h' })];
    for (let n = 0; n < 10; n++) {
      const token = authentic(claims());
      for (const each of two) expect(await strictly(each, token)).to.include({ active: true });
      await node.client.logout({ accessToken: token });
      if (n % 2 === 0) for (const each of two) expect(await strictly(each, token)).to.include({ problem: 'REVOKED' });
      await until(() => two.every((each) => each.validateNow(token)?.active === false));
    }
    expect(two.map((each) => each.state().asks)).to.deep.equal([0, 0]);
  });

  it('knows the end of all sessions of a subject, and that a later session is active', async () => {
    const each = await validator();
    const before = authentic(claims({ sub: 'zoe' }));
    expect(each.validateNow(before)).to.include({ active: true });
    await node.client.revokeSubject('zoe');
    expect(await strictly(each, before)).to.include({ problem: 'REVOKED' });
    expect(await strictly(each, authentic(claims({ sub: 'zoe' })))).to.include({ active: true });
    expect(each.state().asks).to.equal(0);
  });

  it('has strict callers of one turn share one ping, and none of them a call', async () => {
    const each = await validator({ maxStaleness: '1h' });
    const tokens = Array.from({ length: 50 }, () => authentic(claims()));
    await Promise.all(tokens.map((token) => strictly(each, token)));
    const { pings } = each.state();
    await Promise.all(tokens.map((token) => strictly(each, token)));
    expect(each.state().pings - pings).to.be.within(1, 2);
    expect(each.state()).to.include({ asks: 0, waiting: 0 });
  });

  it('says neither while its connection is mute, and follows again on a new one', async () => {
    const proxy = await TcpProxy.start(Number(node.process.address.split(':')[1]));
    stage.owns(() => proxy.stop());
    const each = await validator({ address: `127.0.0.1:${proxy.port}`, maxStaleness: '500ms', deadline: '400ms' });
    const [token, other] = [authentic(claims()), authentic(claims())];
    expect(each.validateNow(token)).to.include({ active: true });
    expect(await strictly(each, other)).to.include({ active: true });
    await node.client.logout({ accessToken: other });
    await until(() => each.validateNow(other)?.active === false);
    proxy.drop();
    await node.client.logout({ accessToken: token });
    await until(() => each.validateNow(token) === undefined);
    expect(await outcome(each.validate(token))).to.be.instanceOf(CannotTell);
    // Ends are for ever, however old the knowledge is.
    expect(each.validateNow(other)).to.include({ problem: 'REVOKED' });
    proxy.mend();
    await until(() => each.validateNow(token)?.active === false);
    expect(each.state().streams).to.be.above(1);
  });

  it('goes on with the stream of another node while one is dead', async () => {
    const second = await stage.serve(redis, env);
    const each = await validator({ address: [second.process.address, node.process.address], maxStaleness: '500ms' });
    await second.process.kill();
    const token = authentic(claims());
    await until(() => each.state().feed === 'following' && each.validateNow(token) !== undefined);
    expect(await strictly(each, token)).to.include({ active: true });
  });

  it('asks the service that has no room for one more stream, or no feed at all', async () => {
    const small = await stage.serveHere(await stage.folder(), { ...env, MAX_WATCHERS: '1' });
    const { address } = small.process;
    expect((await validator({ address })).state().feed).to.equal('following');
    const crowded = await validator({ address, source: 'auto' });
    const { accessToken } = await small.client.issue();
    expect(await crowded.validate(accessToken)).to.include({ active: true });
    expect(crowded.state()).to.include({ feed: 'starting', asks: 1 });
    const earlier = await new ScriptedService().start();
    stage.owns(() => earlier.stop());
    const each = await validator({ source: 'auto', address: earlier.address });
    await until(() => each.state().feed === 'off');
    expect(await strictly(each, goodToken())).to.include({ active: true });
    const demanding = buildValidator({ address: earlier.address, source: 'feed' });
    validators.push(demanding);
    const error = await outcome(demanding.ready());
    expect(error).to.be.instanceOf(CannotTell);
    expect((error as Error).message).to.include('UNIMPLEMENTED');
  });

  it('has no use for the feed of a service without a public key, and asks', async () => {
    const secret = await stage.serveHere(await stage.folder());
    const each = await validator({ address: secret.process.address, source: 'auto' });
    await until(() => each.state().feed === 'off');
    const { accessToken } = await secret.client.issue();
    expect(await each.validate(accessToken)).to.include({ active: true });
    expect(await strictly(each, hs256Token())).to.have.property('active');
  });
});
