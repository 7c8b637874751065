// The proof of what a validator makes of a service that misbehaves.
// One broken server of several, answers out of order, and key sets with odd times.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { CannotTell } from '../../src/validator/errors.js';
import { failure } from '../support/scripted-auth-service.js';
import { holdsFor, until } from '../support/waiting.js';
import { HandClock } from './hand-clock.js';
import { activeResult, goodToken, inactiveResult, keySetOf, type ScriptedService } from './scripted-service.js';
import { ValidatorScene } from './validator-scene.js';

describe('a validator whose service misbehaves', () => {
  const scene = new ValidatorScene();
  afterEach(() => scene.clear());
  const serve = (): Promise<ScriptedService> => scene.serve();
  const validator = (options: ValidatorOptions): Promise<Validator> => scene.validator(options);

  for (const code of [status.INTERNAL, status.UNIMPLEMENTED, status.PERMISSION_DENIED]) {
    it(`asks another address once where one answers ${status[code]}, and none again where both do`, async () => {
      const [broken, good] = [await serve(), await serve()];
      const each = await validator({ address: [broken.address, good.address], deadline: '5s' });
      broken.before = () => {
        throw failure(code);
      };
      for (let n = 0; n < 4; n++) expect(await each.validate(goodToken())).to.include({ active: true });
      expect(broken.calls.length).to.be.above(0);
      good.before = broken.before;
      const { calls } = each.state();
      const error = await each.validate(goodToken()).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(CannotTell).with.property('message').that.includes(status[code]);
      expect(each.state().calls - calls).to.equal(2);
    });
  }

  it('keeps an answer that can never change, although a call that was sent later says otherwise', async () => {
    scene.clock = new HandClock(false);
    const service = await serve();
    const each = await validator({ address: service.address, deadline: '20s' });
    const token = goodToken();
    const releases: (() => void)[] = [];
    service.before = () => new Promise<void>((resolve) => void releases.push(resolve));
    const early = each.validate(token, { consistency: 'strict' });
    await until(() => releases.length === 1);
    scene.clock.pass(1);
    const late = each.validate(token, { consistency: 'strict' });
    await until(() => releases.length === 2);
    releases[1]?.();
    expect(await late).to.include({ active: true });
    service.result = () => inactiveResult(TokenProblem.TOKEN_PROBLEM_REVOKED);
    releases[0]?.();
    expect(await early).to.deep.equal({ active: false, problem: 'REVOKED' });
    service.result = activeResult;
    expect(each.validateNow(token)).to.deep.equal({ active: false, problem: 'REVOKED' });
  });

  it('does not fetch keys without pause that may be kept for longer than a timer can wait', async () => {
    const service = await serve();
    service.keySet = keySetOf(2 ** 31 - 1);
    const each = await validator({ address: service.address });
    // A timer that is too long fires after a millisecond. Later turns see what it has sent.
    for (let n = 0; n < 5; n++) await each.validate(goodToken());
    await holdsFor(20, () => {
      expect(service.keySetCalls).to.equal(1);
    });
  });
});
