// Tests of what callers meet at a server that has more calls than it takes, and of what its log says.

import { type ClientHttp2Stream, connect } from 'node:http2';
import { expect } from 'chai';
import { ValidateTokenRequest } from '../../proto/gen/auth/v1/auth_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { Admission } from '../../src/grpc/admission/admission.js';
import { type CallFailed, failureOfCall } from '../support/auth-client.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { startGateway } from '../support/processes.js';
import { RecordingLog } from '../support/recording-log.js';
import { elapse, holdsFor, until } from '../support/waiting.js';

const AT_ONCE = 20;
/** Longer than a call may wait for a place. */
const REFUSED_MS = 2_500;

/** What a call begins with that brings its message later. */
const HEADERS = {
  ':method': 'POST',
  ':path': '/auth.v1.AuthService/ValidateToken',
  'content-type': 'application/grpc',
  te: 'trailers',
};

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('a gRPC server with more calls than it takes', () => {
  let scene: GrpcScene;
  beforeEach(async () => {
    scene = await GrpcScene.start({ maxConcurrentCalls: AT_ONCE });
  });
  afterEach(() => scene.stop());

  /** Lets as many calls hang in the store as may be under way. */
  async function fill(token: string): Promise<Promise<string>[]> {
    scene.flowing = false;
    const calls = numbers(AT_ONCE).map(() => scene.client.verdict(token));
    await until(() => scene.world.pending.length >= AT_ONCE);
    return calls;
  }

  it('refuses the others with RESOURCE_EXHAUSTED and when to try again, and answers what it took', async () => {
    const { client } = scene;
    const { accessToken, refreshToken } = await client.issue();
    const taken = await fill(accessToken);
    for (const call of [client.validate(accessToken), client.refresh(refreshToken), client.issue()]) {
      expect(await failureOfCall(call)).to.include({
        code: 'RESOURCE_EXHAUSTED',
        message: 'the service is overloaded; try again',
        retryAfterS: 1,
      });
    }
    scene.flowing = true;
    expect(new Set(await Promise.all(taken))).to.deep.equal(new Set(['active']));
    const after = await Promise.all(numbers(AT_ONCE).map(() => client.verdict(accessToken)));
    expect(new Set(after)).to.deep.equal(new Set(['active']));
    expect((await client.refresh(refreshToken)).refreshToken).to.not.equal('');
  });

  it('lets a call wait for a place', async () => {
    const { client } = scene;
    const { accessToken } = await client.issue();
    const taken = await fill(accessToken);
    const waiting = client.verdict(accessToken);
    // Its server has read the call by then: it comes on the same connection, before this one.
    await client.health();
    scene.flowing = true;
    expect(await waiting).to.equal('active');
    expect(new Set(await Promise.all(taken))).to.deep.equal(new Set(['active']));
  });

  it('refuses no call for a pause of a second in the store, during it and after it', async () => {
    const { client } = scene;
    const { accessToken } = await client.issue();
    const taken = await fill(accessToken);
    await elapse(1_000, 'the pause of the store');
    scene.flowing = true;
    expect(new Set(await Promise.all(taken))).to.deep.equal(new Set(['active']));
    const after = await Promise.all(numbers(AT_ONCE).map(() => client.verdict(accessToken)));
    expect(new Set(after)).to.deep.equal(new Set(['active']));
  });

  it('says SERVING all the while', async () => {
    const { client } = scene;
    const { accessToken } = await client.issue();
    const taken = await fill(accessToken);
    const refused = numbers(100).map(() => failureOfCall(client.validate(accessToken)));
    const health = await Promise.all(numbers(50).map(() => client.health('auth.v1.AuthService')));
    expect(new Set(health)).to.deep.equal(new Set(['SERVING']));
    expect((await Promise.all(refused)).every(({ code }) => code === 'RESOURCE_EXHAUSTED')).to.equal(true);
    scene.flowing = true;
    await Promise.all(taken);
  });

  it('refuses before it reads the message: not even what is too large is looked at', async () => {
    const { accessToken } = await scene.client.issue();
    const taken = await fill(accessToken);
    const { message } = await failureOfCall(scene.client.validate('x'.repeat(8193)));
    expect(message).to.equal('the service is overloaded; try again');
    scene.flowing = true;
    await Promise.all(taken);
    expect((await failureOfCall(scene.client.validate('x'.repeat(8193)))).code).to.equal('INVALID_ARGUMENT');
  });

  it('takes calls still that end a session, and what it acknowledges is so', async () => {
    const { client } = scene;
    const { accessToken } = await client.issue();
    const pairs: TokenPair[] = [];
    for (const n of numbers(30)) pairs.push(await client.issue(`user-${n}`));
    const taken = await fill(accessToken);
    const calls = pairs.map(({ refreshToken }) =>
      client.logout({ refreshToken }).then(
        () => 'OK',
        ({ failure }: CallFailed) => failure.code,
      ),
    );
    await elapse(REFUSED_MS, 'the longest wait for a place');
    scene.flowing = true;
    const answers = await Promise.all(calls);
    await Promise.all(taken);
    expect(new Set(answers)).to.deep.equal(new Set(['OK', 'RESOURCE_EXHAUSTED']));
    for (const [n, { accessToken: token }] of pairs.entries()) {
      expect(await client.verdict(token), `user-${n}`).to.equal(answers[n] === 'OK' ? 'REVOKED' : 'active');
    }
  });

  it('keeps no room for calls whose message does not come', async () => {
    const { accessToken } = await scene.client.issue();
    const session = connect(`http://${scene.address}`);
    const streams = numbers(5 * AT_ONCE).map(() => session.request(HEADERS).on('error', () => {}));
    // The server answers a PING once it has read what came before. One that is sent with HEADERS goes ahead of them.
    await until(() => streams.every(({ pending }) => !pending));
    await new Promise((resolve) => session.ping(resolve));
    expect(streams.filter((stream) => !stream.closed).length).to.be.at.least(AT_ONCE);
    expect(await scene.client.verdict(accessToken)).to.equal('active');
    session.destroy();
  });

  it('begins no more than it takes of calls that are opened one by one, and whose messages come all at once', async () => {
    const { accessToken } = await scene.client.issue();
    scene.flowing = false;
    const message = Buffer.from(ValidateTokenRequest.encode({ accessToken, includeClaims: false }).finish());
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    const session = connect(`http://${scene.address}`);
    const streams: ClientHttp2Stream[] = [];
    for (const _ of numbers(3 * AT_ONCE)) {
      streams.push(session.request(HEADERS));
      await elapse(2, 'one by one');
    }
    const statuses = streams.map(
      (stream) =>
        new Promise((resolve) => {
          for (const end of ['response', 'trailers']) {
            stream.on(end, (head) => head['grpc-status'] === undefined || resolve(head['grpc-status']));
          }
          stream.resume();
        }),
    );
    for (const stream of streams) stream.end(Buffer.concat([prefix, message]));
    await until(() => scene.world.pending.length >= AT_ONCE);
    await holdsFor(REFUSED_MS, () => {
      expect(scene.world.pending).to.have.length(AT_ONCE);
    });
    scene.flowing = true;
    const found = (await Promise.all(statuses)).map(String).sort();
    expect(found).to.deep.equal([...numbers(AT_ONCE).map(() => '0'), ...numbers(2 * AT_ONCE).map(() => '8')]);
    session.destroy();
  });

  it('becomes 503 with Retry-After at the gateway', async () => {
    const { accessToken, refreshToken } = await scene.client.issue();
    const gateway = await startGateway(scene.address);
    const taken = await fill(accessToken);
    const answer = await fetch(`http://${gateway.address}/api/auth/token/refresh/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh: refreshToken }),
    });
    expect([answer.status, answer.headers.get('retry-after')]).to.deep.equal([503, '1']);
    expect(await answer.json()).to.include({ code: 'service_unavailable' });
    scene.flowing = true;
    await Promise.all(taken);
    await gateway.stop();
  });
});

describe('the log of an overload', () => {
  function refusing(reportMs: number) {
    const log = new RecordingLog();
    const admission = new Admission(log, { maxConcurrentCalls: 1, reportMs });
    admission.begin();
    const refuse = (count: number): void => {
      for (let n = 0; n < count; n++) admission.begin();
    };
    return { log, admission, refuse };
  }

  it('has a line at its start, one with their number in a while, and one at its end, however many are refused', async () => {
    const { log, refuse } = refusing(20);
    refuse(10_000);
    expect(log.lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ['warn', 'overloaded: calls are refused'],
    ]);
    await until(() => log.lines.length >= 3);
    expect(log.lines.slice(1).map(({ level, fields }) => [level, fields])).to.deep.equal([
      ['warn', { refused: 10_000, refusedInAll: 10_000 }],
      ['info', { refusedInAll: 10_000 }],
    ]);
  });

  it('counts the next overload anew, and has its last line also if the service stops in it', () => {
    const { log, admission, refuse } = refusing(60_000);
    refuse(3);
    admission.close();
    refuse(2);
    admission.close();
    admission.close();
    expect(log.lines.filter(({ level }) => level === 'info').map(({ fields }) => fields)).to.deep.equal([
      { refusedInAll: 3 },
      { refusedInAll: 2 },
    ]);
  });
});
