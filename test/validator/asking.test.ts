// The proof of how a validator asks: few calls, one a turn, one a token, and within which bounds.

import { expect } from 'chai';
import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { buildValidator } from '../../src/validator/build-validator.js';
import { CannotTell } from '../../src/validator/errors.js';
import { MAX_RENEWAL_DELAY_MS } from '../../src/validator/renewal-timer.js';
import { ownCpuMs } from '../support/processor-time.js';
import { elapse, until } from '../support/waiting.js';
import { HandClock } from './hand-clock.js';
import { anew, goodToken, ScriptedService } from './scripted-service.js';

describe('a validator that asks', () => {
  let service: ScriptedService;
  let clock: HandClock;
  const validators: Validator[] = [];
  beforeEach(async () => {
    clock = new HandClock(false);
    service = await new ScriptedService().start();
  });
  afterEach(async () => {
    for (const each of validators.splice(0)) await each.close();
    service.stop();
  });

  async function validator(options: Partial<ValidatorOptions> = {}): Promise<Validator> {
    const made = buildValidator({ address: service.address, deadline: '20s', ...options }, { clock });
    validators.push(made);
    await made.ready();
    return made;
  }

  /** Holds every call until it is released. */
  function hold(): () => void {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    service.before = () => held;
    return release;
  }

  it('asks for all tokens of one turn in one call, and for each of them once', async () => {
    const { validate } = bound(await validator());
    const tokens = Array.from({ length: 50 }, () => goodToken());
    const results = await Promise.all([...tokens, ...tokens].map((token) => validate(anew(token))));
    expect(results.every(({ active }) => active)).to.equal(true);
    expect(service.calls.map(({ tokens }) => tokens.length)).to.deep.equal([50]);
  });

  it('puts at most 1000 tokens into a call, and at most as many as a request has room for', async () => {
    const { validate } = bound(await validator());
    const tokens = Array.from({ length: 1_001 }, () => goodToken());
    await Promise.all(tokens.map((token) => validate(token)));
    expect(service.calls.map(({ tokens }) => tokens.length).sort()).to.deep.equal([1, 1_000]);
    service.calls.length = 0;
    const large = Array.from({ length: 200 }, () => goodToken({ pad: 'x'.repeat(5_500) }));
    const results = await Promise.all(large.map((token) => validate(token)));
    expect(results.every(({ active }) => active)).to.equal(true);
    expect(service.calls).to.have.lengthOf(2);
  });

  it('answers what it knows without a call, until the answer is older than maxStaleness', async () => {
    const each = await validator({ maxStaleness: '2s' });
    const token = goodToken({ role: 'admin' });
    const first = await each.validate(token);
    expect(first).to.deep.include({ active: true, claims: { role: 'admin' } });
    expect(each.validateNow(anew(token))).to.equal(first);
    expect(await each.validate(anew(token))).to.equal(first);
    expect(service.calls).to.have.lengthOf(1);
    clock.pass(2_001);
    expect(each.validateNow(token)).to.equal(undefined);
    expect(await each.validate(token)).to.equal(first);
    expect(service.calls).to.have.lengthOf(2);
  });

  it('asks again for a caller whose own maxStaleness is shorter', async () => {
    const each = await validator({ maxStaleness: '2s' });
    const token = goodToken();
    await each.validate(token);
    clock.pass(150);
    await each.validate(token, { maxStaleness: '500ms' });
    expect(service.calls).to.have.lengthOf(1);
    await each.validate(token, { maxStaleness: '100ms' });
    expect(service.calls).to.have.lengthOf(2);
  });

  it('lets callers join a call under way that is young enough for them, and no strict caller', async () => {
    const each = await validator({ maxStaleness: '1m' });
    const token = goodToken();
    const release = hold();
    const first = each.validate(token);
    await until(() => service.calls.length === 1);
    const joins = each.validate(token);
    const strict = [each.validate(token, { consistency: 'strict' }), each.validate(token, { consistency: 'strict' })];
    await until(() => service.calls.length === 2);
    clock.pass(10_001);
    const impatient = each.validate(token, { maxStaleness: '10s' });
    await until(() => service.calls.length === 3);
    release();
    for (const result of await Promise.all([first, joins, ...strict, impatient])) expect(result.active).to.equal(true);
    expect(service.calls.map(({ tokens }) => tokens.length)).to.deep.equal([1, 1, 1]);
  });

  it('gives no caller an answer that became too old while the call was under way', async () => {
    const each = await validator({ maxStaleness: '2s' });
    const token = goodToken();
    let release = hold();
    const call = each.validate(token);
    await until(() => service.calls.length === 1);
    clock.step(3_000);
    const last = release;
    release = hold();
    last();
    await until(() => service.calls.length === 2);
    release();
    expect((await call).active).to.equal(true);
    expect(service.calls).to.have.lengthOf(2);
  });

  it('asks about a token in use again in the background, before its time is over', async () => {
    const each = await validator({ maxStaleness: '2s' });
    const token = goodToken();
    await each.validate(token);
    clock.pass(999);
    expect(each.validateNow(token)?.active).to.equal(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(each.state().calls).to.equal(1);
    clock.pass(700);
    expect(each.validateNow(token)?.active).to.equal(true);
    await until(() => service.calls.length === 2);
    await until(() => each.state().callsUnderWay === 0);
    clock.pass(1_900);
    // Known from the second call, which was sent later.
    expect(each.validateNow(token)?.active).to.equal(true);
  });

  it('renews tokens that are used within a while in one call, and at once when a caller asks', async () => {
    const each = await validator({ maxStaleness: '10s' });
    const tokens = Array.from({ length: 40 }, () => goodToken());
    await Promise.all(tokens.map((token) => each.validate(token)));
    clock.pass(8_500);
    const inTurns = async (): Promise<void> => {
      for (const token of tokens) {
        expect(each.validateNow(token)?.active).to.equal(true);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await inTurns();
    await until(() => service.tokensAsked === 80);
    expect(service.calls.map(({ tokens }) => tokens.length)).to.deep.equal([40, 40]);
    // The answers must have arrived before their age can be changed.
    await until(() => each.state().callsUnderWay === 0);
    clock.pass(8_500);
    await inTurns();
    const startMs = performance.now();
    await each.validate(goodToken());
    const tookMs = performance.now() - startMs;
    expect(service.calls.map(({ tokens }) => tokens.length)).to.deep.equal([40, 40, 41]);
    expect(tookMs).to.be.below(MAX_RENEWAL_DELAY_MS);
  });

  it('waits for no other renewal if maxStaleness is too short for that', async () => {
    const each = await validator({ maxStaleness: '10ms' });
    const token = goodToken();
    await each.validate(token);
    clock.pass(9);
    const startMs = performance.now();
    expect(each.validateNow(token)?.active).to.equal(true);
    await until(() => service.calls.length === 2);
    expect(performance.now() - startMs).to.be.below(MAX_RENEWAL_DELAY_MS);
  });

  it('keeps what it knows while a renewal fails, and tries again later, not at each use', async () => {
    const each = await validator({ maxStaleness: '100ms' });
    const token = goodToken();
    await each.validate(token);
    service.stop();
    clock.pass(80);
    for (let n = 0; n < 300; n++) {
      expect(each.validateNow(token)?.active).to.equal(true);
      await elapse(1, 'a renewal waits for others in real time, for 5 ms');
    }
    expect(each.state().calls).to.be.within(2, 12);
    clock.pass(21);
    expect(each.validateNow(token)).to.equal(undefined);
  });

  it('verifies the signature of a token once, however often it is asked for until it has an answer', async () => {
    const each = await validator();
    const token = goodToken();
    hold();
    const ask = (times: number): number => {
      const beforeMs = ownCpuMs();
      for (let n = 0; n < times; n++) void each.validate(token).catch(() => {});
      return ownCpuMs() - beforeMs;
    };
    const verified = Array.from({ length: 200 }, () => goodToken());
    const beforeMs = ownCpuMs();
    for (const other of verified) each.validateNow(other);
    const signaturesMs = ownCpuMs() - beforeMs;
    expect(ask(200)).to.be.below(signaturesMs / 3);
  });

  it('has no more calls under way than maxCalls, and sends what waits once one has ended', async () => {
    const each = await validator({ maxCalls: 2 });
    const release = hold();
    const all: Promise<unknown>[] = [];
    for (let n = 0; n < 6; n++) {
      all.push(each.validate(goodToken()));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => service.calls.length === 2);
    expect(each.state()).to.include({ callsUnderWay: 2, waiting: 6 });
    release();
    await Promise.all(all);
    expect(service.mostUnderWay).to.equal(2);
    expect(service.calls.map(({ tokens }) => tokens.length)).to.deep.equal([1, 1, 4]);
  });

  it('lets no more callers wait than maxWaiting: the one that has waited longest gets CannotTell', async () => {
    const each = await validator({ maxWaiting: 3 });
    const release = hold();
    const calls = Array.from({ length: 5 }, () => each.validate(goodToken()).catch((error: unknown) => error));
    const [first, second] = await Promise.all(calls.slice(0, 2));
    expect(first).to.be.instanceOf(CannotTell).with.property('message').that.includes('too many callers wait');
    expect(second).to.be.instanceOf(CannotTell);
    expect(each.state()).to.include({ waiting: 3, cannotTell: 2 });
    release();
    for (const result of await Promise.all(calls.slice(2))) expect(result).to.include({ active: true });
  });

  it('remembers no more tokens than maxRemembered: the oldest answers go first', async () => {
    const each = await validator({ maxRemembered: 100 });
    const tokens: string[] = [];
    for (let n = 0; n < 5; n++) {
      const some = Array.from({ length: 50 }, () => goodToken());
      tokens.push(...some);
      await Promise.all(some.map((token) => each.validate(token)));
      expect(each.state().remembered).to.equal(Math.min(100, tokens.length));
    }
    expect(tokens.map((token) => each.validateNow(token) !== undefined).lastIndexOf(false)).to.equal(149);
  });

  it('gives a caller up at its deadline, with when to try again and without the token', async () => {
    clock = new HandClock(true);
    const each = await validator({ deadline: '100ms' });
    const token = goodToken();
    const release = hold();
    const error = await each.validate(token).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(CannotTell);
    expect((error as CannotTell).retryAfterMs).to.be.above(0);
    expect((error as CannotTell).message).not.to.include(token.slice(-20));
    release();
    await until(async () => !((await each.validate(token).catch((late: unknown) => late)) instanceof CannotTell));
  });

  it('ends when it is closed: those who wait and later callers get CannotTell, and the process may end', async () => {
    const each = await validator();
    hold();
    const waits = each.validate(goodToken()).catch((error: unknown) => error);
    await until(() => service.calls.length === 1);
    await each.close();
    expect(await waits).to.be.instanceOf(CannotTell);
    expect(await each.validate(goodToken()).catch((error: unknown) => error)).to.be.instanceOf(CannotTell);
    expect(each.validateNow(goodToken())).to.equal(undefined);
    expect(each.state()).to.include({ phase: 'closed', waiting: 0 });
    expect(await each.ready(5).catch((error: unknown) => error)).to.be.instanceOf(CannotTell);
  });
});

const bound = (each: Validator) => ({ validate: (token: string) => each.validate(token) });
