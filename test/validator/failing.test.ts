// The proof of how a validator fails: what it tries again and where, what it never says, and how it returns.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { CannotTell } from '../../src/validator/errors.js';
import { failure, retryInfo } from '../support/scripted-auth-service.js';
import { elapse, until } from '../support/waiting.js';
import { cannotTellResult, goodToken, hs256Token, inactiveResult, type ScriptedService } from './scripted-service.js';
import { ValidatorScene } from './validator-scene.js';

/** The delay that a refusing service asks for, s: far longer than a call takes on a busy machine. */
const PAUSE_S = 10;
const OVERLOADED = () => failure(status.RESOURCE_EXHAUSTED, [retryInfo(PAUSE_S)]);

describe('a validator whose service fails', () => {
  const scene = new ValidatorScene();
  afterEach(() => scene.clear());
  const serve = (): Promise<ScriptedService> => scene.serve();
  const validator = (options: ValidatorOptions, random?: number): Promise<Validator> =>
    scene.validator(options, random);

  const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error);

  for (const [name, make] of [
    ['RESOURCE_EXHAUSTED', OVERLOADED],
    ['UNAVAILABLE', () => failure(status.UNAVAILABLE, [retryInfo(PAUSE_S)])],
  ] as const) {
    it(`tries again at another address at once after ${name}, and not before the time that it asks for at the same`, async () => {
      const [busy, idle] = [await serve(), await serve()];
      const each = await validator({ address: [busy.address, idle.address], deadline: '20s' });
      for (const service of [busy, idle]) {
        service.before = () => {
          if (service === busy) throw make();
        };
      }
      const startMs = performance.now();
      for (let n = 0; n < 4; n++) expect(await each.validate(goodToken())).to.include({ active: true });
      expect(performance.now() - startMs).to.be.below(3_000);
      expect(busy.calls.length).to.be.above(0);
      const refused = busy.calls.flatMap(({ tokens }) => tokens);
      expect(new Set(refused).size).to.equal(refused.length);
      expect(idle.calls.flatMap(({ tokens }) => tokens)).to.include.members(refused);
    });
  }

  it('waits as long as RetryInfo says where there is one address, if its callers wait as long', async () => {
    const pausesMs: number[] = [];
    for (let round = 0; round < 3; round++) {
      const service = await serve();
      const each = await validator({ address: service.address, deadline: '10s' });
      service.before = () => {
        if (service.calls.length === 1) throw failure(status.RESOURCE_EXHAUSTED, [retryInfo(0, 3e8)]);
      };
      expect(await each.validate(goodToken())).to.include({ active: true });
      const [first, second] = service.calls;
      pausesMs.push((second?.atMs ?? 0) - (first?.atMs ?? 0));
    }
    // Other work may lengthen each of them.
    expect(Math.min(...pausesMs)).to.be.within(295, 900);
  });

  it('gives callers up at once that would not wait as long as RetryInfo says, with that time', async () => {
    const service = await serve();
    const each = await validator({ address: service.address, deadline: '9s' });
    service.before = () => {
      throw OVERLOADED();
    };
    const startMs = performance.now();
    const error = await outcome(each.validate(goodToken()));
    expect(error)
      .to.be.instanceOf(CannotTell)
      .with.property('retryAfterMs', PAUSE_S * 1_000);
    expect(performance.now() - startMs).to.be.below(6_000);
    expect(service.calls).to.have.lengthOf(1);
  });

  it('asks another server while one hangs', async () => {
    const [hung, good] = [await serve(), await serve()];
    const each = await validator({ address: [hung.address, good.address], deadline: '2s' });
    hung.before = () => new Promise(() => {});
    for (let n = 0; n < 3; n++) expect(await each.validate(goodToken())).to.include({ active: true });
  });

  it('takes a token of which the service cannot tell for neither active nor inactive, whatever the others are', async () => {
    const service = await serve();
    const each = await validator({ address: service.address, deadline: '500ms' });
    const [bad, good] = [goodToken({ sub: 'unknown' }), goodToken()];
    const usual = service.result;
    service.result = (token) => (token === bad ? cannotTellResult() : usual(token));
    const [one, other] = await Promise.all([outcome(each.validate(bad)), each.validate(good)]);
    expect(one).to.be.instanceOf(CannotTell);
    expect(other).to.include({ active: true });
    expect(each.validateNow(bad)).to.equal(undefined);
    service.result = usual;
    expect(await each.validate(bad)).to.include({ active: true });
  });

  it('takes no answer that breaks the contract for one: too few, none, both, active without a subject', async () => {
    const service = await serve();
    const each = await validator({ address: service.address, deadline: '5s' });
    const usual = service.answer;
    const { validation } = service.result(goodToken());
    if (!validation) throw new Error('no validation');
    const broken = [
      { results: [] },
      { results: [{ validation: undefined, cannotTell: undefined }] },
      { results: [{ validation: { ...validation, subject: '' }, cannotTell: undefined }] },
      {
        results: [
          { validation: { ...validation, problem: TokenProblem.TOKEN_PROBLEM_REVOKED }, cannotTell: undefined },
        ],
      },
      { results: [inactiveResult(TokenProblem.TOKEN_PROBLEM_UNSPECIFIED)] },
    ];
    for (const answer of broken) {
      service.answer = () => answer;
      const token = goodToken();
      expect(await outcome(each.validate(token))).to.be.instanceOf(CannotTell);
      service.answer = usual;
      expect(await each.validate(token)).to.include({ active: true });
    }
    service.answer = () => ({ results: [inactiveResult(99 as TokenProblem)] });
    expect(await each.validate(goodToken())).to.deep.equal({ active: false, problem: 'UNSPECIFIED' });
  });

  it('remembers only what can never change longer than maxStaleness', async () => {
    const service = await serve();
    const each = await validator({ address: service.address });
    for (const [name, isKept] of [
      ['REVOKED', true],
      ['NOT_YET_VALID', false],
      ['UNKNOWN_KEY', false],
    ] as const) {
      service.result = () => inactiveResult(TokenProblem[`TOKEN_PROBLEM_${name}`]);
      const token = goodToken();
      expect(await each.validate(token)).to.deep.equal({ active: false, problem: name });
      expect(each.validateNow(token)).to.deep.equal({ active: false, problem: name });
      scene.clock.pass(2_001);
      expect(each.validateNow(token) !== undefined, name).to.equal(isKept);
      const { calls } = each.state();
      if (isKept) await each.validate(token, { consistency: 'strict' });
      expect(each.state().calls).to.equal(calls);
    }
  });

  it('is not made to say "active" again by an answer that comes late to an earlier call', async () => {
    const service = await serve();
    const each = await validator({ address: service.address });
    const token = goodToken();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const usual = service.answer;
    // The first call is answered as of its coming, and its answer is held up.
    service.before = (call) => (call === service.calls[0] ? held : undefined);
    const early = each.validate(token);
    await until(() => service.calls.length === 1);
    service.answer = (call) =>
      call === service.calls[0]
        ? usual(call)
        : { results: call.tokens.map(() => inactiveResult(TokenProblem.TOKEN_PROBLEM_REVOKED)) };
    expect(await each.validate(token, { consistency: 'strict' })).to.include({ problem: 'REVOKED' });
    release();
    expect(await early).to.include({ problem: 'REVOKED' });
    expect(each.validateNow(token)).to.include({ problem: 'REVOKED' });
  });

  it('has one call under way while the service is away, and more only one by one when it is back', async () => {
    const service = await serve();
    const each = await validator({ address: service.address, deadline: '1s', maxCalls: 8 });
    service.stop();
    const endMs = performance.now() + 1_500;
    while (performance.now() < endMs) {
      void outcome(each.validate(goodToken()));
      await elapse(2, 'paces calls');
      if (endMs - performance.now() < 750) expect(each.state().callsUnderWay).to.be.at.most(1);
    }
    expect(each.state().calls).to.be.below(60);
    await service.start();
    service.before = () => elapse(50, 'a slow service');
    await until(async () => !((await outcome(each.validate(goodToken()))) instanceof CannotTell));
    expect(service.mostUnderWay).to.be.at.most(2);
  });

  it('says so in its state: starting, fresh, stale and for how long, fresh again', async () => {
    const service = await serve();
    service.beforeKeys = () => {
      throw failure(status.UNAVAILABLE);
    };
    const each = scene.begin({ address: service.address, deadline: '200ms' });
    expect(each.state()).to.include({ phase: 'starting', staleMs: 0, keys: 0 });
    const late = await outcome(each.ready('100ms'));
    expect(late).to.be.instanceOf(CannotTell).with.property('message').that.includes('UNAVAILABLE');
    service.beforeKeys = () => {};
    await each.ready();
    await each.validate(goodToken());
    expect(each.state()).to.include({ phase: 'fresh', staleMs: 0, keys: 1, remembered: 1 });
    service.stop();
    await outcome(each.validate(goodToken()));
    expect(each.state().phase).to.equal('fresh');
    expect(each.state().staleMs).to.be.above(0);
    scene.clock.pass(2_000);
    expect(each.state().phase).to.equal('stale');
    await service.start();
    await until(async () => !((await outcome(each.validate(goodToken()))) instanceof CannotTell));
    expect(each.state()).to.include({ phase: 'fresh', staleMs: 0 });
  });

  it('uses keys as long as the service allows, fetches them before, and asks once they are over', async () => {
    const service = await serve();
    service.keySet = { ...service.keySet, maxAgeSeconds: 60 };
    const each = await validator({ address: service.address });
    const forged = () => `${goodToken().slice(0, -43)}${'A'.repeat(43)}`;
    expect(each.validateNow(forged())).to.include({ problem: 'BAD_SIGNATURE' });
    expect(service.calls).to.have.lengthOf(0);
    scene.clock.pass(60_001);
    expect(each.validateNow(forged())).to.equal(undefined);
    expect(each.state().keys).to.equal(0);
  });

  it('fetches the keys anew for an unknown one, at most once a second, and never for HS256', async () => {
    const service = await serve();
    const { keySet } = service;
    service.keySet = { keys: [], maxAgeSeconds: 300 };
    const each = await validator({ address: service.address });
    expect(service.keySetCalls).to.equal(1);
    scene.clock.pass(1_001);
    for (let n = 0; n < 20; n++)
      expect(await each.validate(hs256Token({ role: n }))).to.deep.include({ claims: { role: n } });
    expect(service.keySetCalls).to.equal(1);
    service.keySet = keySet;
    for (let n = 0; n < 20; n++) expect(await each.validate(goodToken())).to.include({ active: true });
    await until(() => each.state().keys === 1);
    expect(service.keySetCalls).to.equal(2);
    // Now they are known, so that nothing has to be asked about a forged token.
    const { calls } = each.state();
    expect(await each.validate(`${goodToken().slice(0, -43)}${'A'.repeat(43)}`)).to.include({
      problem: 'BAD_SIGNATURE',
    });
    expect(each.state().calls).to.equal(calls);
  });
});
