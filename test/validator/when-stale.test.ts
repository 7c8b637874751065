// The proof of `whenStale: 'throw'`: the service is not asked about what the feed could decide, and the rest still is.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeSessionId } from '../../src/core/token/session-id.js';
import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { buildValidator } from '../../src/validator/build-validator.js';
import { CannotTell } from '../../src/validator/errors.js';
import * as forge from '../attacks/forge.js';
import { type RunningNode, Stage } from '../e2e/stage.js';
import { FeedStream } from '../support/feed-stream.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/waiting.js';
import { goodToken, ScriptedService } from './scripted-service.js';

const STRICT = { consistency: 'strict' } as const;
const { authentic, authenticHs256, goodClaims } = forge;

describe("a validator with whenStale: 'throw'", () => {
  const stage = new Stage();
  const validators: Validator[] = [];
  let node: RunningNode;
  let proxy: TcpProxy;
  before(async () => {
    const keys = await stage.folder();
    writeFileSync(join(keys, 'es256.pem'), forge.ecPem, { mode: 0o600 });
    node = await stage.serveHere(await stage.folder(), {
      JWT_KEYS_DIR: keys,
      JWT_ISSUER: forge.ISSUER,
      MAX_WATCHERS: '1',
    });
    proxy = await TcpProxy.start(Number(node.process.address.split(':')[1]));
    stage.owns(() => proxy.stop());
  });
  afterEach(async () => {
    for (const each of validators.splice(0)) await each.close();
  });
  after(() => stage.clear());

  let made = 0;
  function claims(): Record<string, unknown> {
    const sid = makeSessionId(Date.now(), Buffer.from(`${made++}`.padStart(10, '0')));
    // The log of a new store is complete only for a later `iat`.
    const iat = Math.floor(Date.now() / 1000) + 9;
    return goodClaims({ sid, jti: `a${sid}.0`, iat, exp: iat + 300 });
  }

  function validator(options: Partial<ValidatorOptions>): Validator {
    const each = buildValidator({ address: `127.0.0.1:${proxy.port}`, source: 'feed', whenStale: 'throw', ...options });
    validators.push(each);
    return each;
  }

  const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error);

  it('asks no server about a token once the feed is too old, and the service still about what no feed can say', async () => {
    const each = validator({ maxStaleness: '300ms', deadline: '400ms' });
    await each.ready();
    await until(() => each.validateNow(authentic(claims()))?.active ?? false);
    const [token, ended] = [authentic(claims()), authentic(claims())];
    expect(await each.validate(token, STRICT)).to.include({ active: true });
    await node.client.logout({ accessToken: ended });
    expect(await each.validate(ended, STRICT)).to.include({ problem: 'REVOKED' });
    // The stream is cut, and its place at the service taken: calls succeed, and no stream does.
    proxy.drop();
    proxy.cut();
    let other: FeedStream | undefined;
    await until(async () => {
      other?.close();
      other = new FeedStream(node.process.address);
      return (await Promise.race([other.pong(), other.ended])) !== 'RESOURCE_EXHAUSTED';
    });
    stage.owns(() => other?.close());
    proxy.mend();
    // A connection that was mute is replaced.
    await until(async () => (await outcome(each.validate(authenticHs256(claims())))) instanceof CannotTell === false);
    await until(() => each.validateNow(token) === undefined);
    const before = each.state();
    for (const options of [{}, STRICT]) {
      const startMs = performance.now();
      const error = await outcome(each.validate(token, options));
      expect(error).to.be.instanceOf(CannotTell);
      expect((error as Error).message).to.include('RESOURCE_EXHAUSTED');
      expect(performance.now() - startMs).to.be.above(390);
    }
    expect(await each.validate(ended, STRICT)).to.include({ problem: 'REVOKED' });
    expect(each.state()).to.include({ asks: before.asks, waiting: 0, cannotTell: before.cannotTell + 2 });
    // The feed decides on no token under HS256.
    expect(await each.validate(authenticHs256(claims()), STRICT)).to.have.property('active');
    expect(each.state().asks).to.equal(before.asks + 1);
    // The same token, where asking is allowed.
    const asking = validator({ source: 'answers', whenStale: undefined as never });
    expect(await asking.validate(token, STRICT)).to.include({ active: true });
    other?.close();
    await until(() => each.validateNow(token)?.active ?? false);
  });

  it('waits for the stream while there is none, and decides when it has come', async () => {
    const each = validator({ maxStaleness: '200ms', deadline: '20s' });
    await each.ready();
    const token = authentic(claims());
    await until(() => each.validateNow(token)?.active ?? false);
    const { asks } = each.state();
    proxy.drop();
    proxy.cut();
    await until(() => each.validateNow(token) === undefined);
    const answers = [each.validate(token), each.validate(token, STRICT)];
    await node.client.logout({ accessToken: token });
    proxy.mend();
    for (const answer of answers) expect(await answer).to.include({ problem: 'REVOKED' });
    expect(each.state().asks).to.equal(asks);
  });

  it('asks a service that has no feed', async () => {
    const earlier = await new ScriptedService().start();
    stage.owns(() => earlier.stop());
    const each = validator({ address: earlier.address, source: 'auto' });
    await until(() => each.state().feed === 'off');
    expect(await each.validate(goodToken(), STRICT)).to.include({ active: true });
  });
});
