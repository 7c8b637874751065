// Tests of a validator by the feed of several nodes, one of which does not reach the store that it should read.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeSessionId } from '../../src/core/token/session-id.js';
import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { buildValidator } from '../../src/validator/build-validator.js';
import { CannotTell } from '../../src/validator/errors.js';
import * as forge from '../attacks/forge.js';
import { type RunningNode, Stage } from '../e2e/stage.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/waiting.js';

const STRICT = { consistency: 'strict' } as const;

describe('a validator by the feed of two nodes', () => {
  const stage = new Stage();
  const validators: Validator[] = [];
  /** Between the first node and Redis. */
  let proxy: TcpProxy;
  let nodes: readonly [RunningNode, RunningNode];
  before(async () => {
    const redis = await stage.redis();
    const keys = await stage.folder();
    writeFileSync(join(keys, 'es256.pem'), forge.ecPem, { mode: 0o600 });
    proxy = await TcpProxy.start(redis.port);
    stage.owns(() => proxy.stop());
    const env = { JWT_KEYS_DIR: keys };
    nodes = [
      await stage.serveHereAt(`redis://127.0.0.1:${proxy.port}`, env),
      await stage.serveHereAt(`redis://127.0.0.1:${redis.port}`, env),
    ];
  });
  afterEach(async () => {
    for (const each of validators.splice(0)) await each.close();
    proxy.mend();
    proxy.cut();
  });
  after(() => stage.clear());

  let made = 0;
  function token(): string {
    const sid = makeSessionId(Date.now(), Buffer.from(`${made++}`.padStart(10, '0')));
    // The log of a new store is complete only for a later `iat`.
    const iat = Math.floor(Date.now() / 1000) + 9;
    return forge.authentic(forge.goodClaims({ sid, jti: `a${sid}.0`, iat, exp: iat + 300 }));
  }

  function validator(options: Partial<ValidatorOptions> = {}): Validator {
    const address = nodes.map(({ process }) => process.address);
    // The first stream goes to the first node.
    const each = buildValidator({ address, source: 'feed', whenStale: 'throw', ...options }, { random: () => 0 });
    validators.push(each);
    return each;
  }

  const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error);

  it('goes to the other node when its own cannot read the store any longer, though it answers pings', async () => {
    const each = validator();
    await each.ready();
    await until(() => each.validateNow(token())?.active ?? false);
    expect(each.state().streams).to.equal(1);
    proxy.drop();
    await until(() => each.state().streams > 1);
    const [text, ended] = [token(), token()];
    expect(await each.validate(text, STRICT)).to.include({ active: true });
    await nodes[1].client.logout({ accessToken: ended });
    expect(await each.validate(ended, STRICT)).to.include({ problem: 'REVOKED' });
    await until(() => each.validateNow(text)?.active ?? false);
    expect(each.state()).to.include({ streams: 2, asks: 0, feed: 'following' });
  });

  it('stays where there is no other node, and says what is wrong', async () => {
    const [{ process }] = nodes;
    const each = validator({ address: process.address, deadline: '300ms' });
    await each.ready();
    await until(() => each.validateNow(token())?.active ?? false);
    proxy.drop();
    await until(async () => (await outcome(each.validate(token(), STRICT))) instanceof CannotTell);
    const later = validator({ address: process.address });
    for (const error of await Promise.all([outcome(later.ready('3s')), outcome(each.validate(token(), STRICT))])) {
      expect(error).to.be.instanceOf(CannotTell);
      expect((error as Error).message).to.include('the service cannot read all of its store');
    }
    expect(each.state()).to.include({ streams: 1, feed: 'following' });
  });
});
