// Tests of a validator by the feed against busy callers, nodes that misbehave, and ends at the wrong moment.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeSessionId } from '../../src/core/token/session-id.js';
import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { buildValidator } from '../../src/validator/build-validator.js';
import * as forge from '../attacks/forge.js';
import { type ServiceNode, Stage } from '../e2e/stage.js';
import { until } from '../support/waiting.js';

const STRICT = { consistency: 'strict' } as const;

describe('a validator by the feed with busy callers', () => {
  const stage = new Stage();
  const validators: Validator[] = [];
  let node: ServiceNode;
  before(async () => {
    const keys = await stage.folder();
    writeFileSync(join(keys, 'es256.pem'), forge.ecPem, { mode: 0o600 });
    node = await stage.serve(await stage.folder(), { JWT_KEYS_DIR: keys });
  });
  afterEach(async () => {
    for (const each of validators.splice(0)) await each.close();
  });
  after(() => stage.clear());

  function token(): string {
    const sid = makeSessionId(Date.now(), Buffer.alloc(10, 7));
    // The log of a new store is complete only for a later `iat`.
    const iat = Math.floor(Date.now() / 1000) + 9;
    return forge.authentic(forge.goodClaims({ sid, jti: `a${sid}.0`, iat, exp: iat + 300 }));
  }

  async function validator(options: Partial<ValidatorOptions> = {}): Promise<Validator> {
    const each = buildValidator({ address: node.process.address, source: 'feed', deadline: '10s', ...options });
    validators.push(each);
    await each.ready();
    return each;
  }

  it('says that it is closed to all that wait, and to those who come later', async () => {
    const each = buildValidator({ address: node.process.address, source: 'feed' });
    const calls = () => [each.ready(), each.validate(token()), each.validate(token(), STRICT)];
    const waiting = calls();
    await each.close();
    for (const call of [...waiting, ...calls()]) {
      expect(await call.catch(({ message }: Error) => message)).to.include('the validator is closed');
    }
  });

  it('keeps its stream while a strict caller comes in every turn of the event loop', async () => {
    const each = await validator();
    await until(() => each.validateNow(token())?.active ?? false);
    const text = token();
    const { pings, streams } = each.state();
    const answers: Promise<unknown>[] = [];
    const untilMs = performance.now() + 2_000;
    while (performance.now() < untilMs) {
      if (each.state().waiting < 5_000) answers.push(each.validate(text, STRICT));
      await new Promise(setImmediate);
    }
    for (const answer of await Promise.all(answers)) expect(answer).to.include({ active: true });
    expect(each.state()).to.include({ streams, asks: 0, feed: 'following' });
    // The service closes a connection with a thousand tiny frames in half a second.
    expect(each.state().pings - pings).to.be.below(2_000);
  });
});
