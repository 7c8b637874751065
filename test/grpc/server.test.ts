// Tests of the server's bounds: sizes, streams, deadlines, health, and how it stops.

import { lookup } from 'node:dns/promises';
import { connect } from 'node:http2';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { expect } from 'chai';
import { HealthClient, type HealthListResponse } from '../../proto/gen/grpc/health/v1/health.js';
import { CallFailed, failureOf, failureOfCall, TestClient } from '../support/auth-client.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { ISSUER_TOKEN } from '../support/processes.js';
import { holdsFor, until } from '../support/waiting.js';

describe('the gRPC server', () => {
  let scene: GrpcScene;
  beforeEach(async () => {
    scene = await GrpcScene.start();
  });
  afterEach(() => scene.stop());

  it('refuses empty and oversized tokens as bad input, before anything is looked at', async () => {
    const { client } = scene;
    const calls = {
      access_token: (token: string) => client.validate(token),
      refresh_token: (token: string) => client.refresh(token),
    };
    for (const [field, call] of Object.entries(calls)) {
      expect(await failureOfCall(call(''))).to.include({ code: 'INVALID_ARGUMENT', field, fieldReason: 'REQUIRED' });
      const large = await failureOfCall(call('x'.repeat(8193)));
      expect(large).to.include({ code: 'INVALID_ARGUMENT', field, fieldReason: 'TOO_LARGE' });
    }
    expect(await client.verdict('x'.repeat(8192))).to.equal('MALFORMED');
    expect(await failureOfCall(client.logout({}))).to.include({ code: 'INVALID_ARGUMENT', field: 'refresh_token' });
  });

  it('answers for a bad token with its reason, for programs', async () => {
    const { accessToken } = await scene.client.issue();
    const failure = await failureOfCall(scene.client.refresh(accessToken));
    expect(failure).to.include({ code: 'UNAUTHENTICATED', reason: 'WRONG_TYPE', domain: 'latchkey' });
  });

  it('bounds messages and streams', async () => {
    const [much, more] = await Promise.all(
      [1_000_000, 1_100_000].map((size) => failureOfCall(scene.client.validate('x'.repeat(size)))),
    );
    expect(much).to.include({ code: 'INVALID_ARGUMENT', fieldReason: 'TOO_LARGE' });
    expect(more).to.include({ code: 'RESOURCE_EXHAUSTED' });
    const session = connect(`http://${scene.address}`);
    const settings = await new Promise<{ maxConcurrentStreams?: number }>((resolve) => {
      session.once('remoteSettings', resolve);
    });
    session.destroy();
    expect(settings.maxConcurrentStreams).to.equal(100);
  });

  it('answers DEADLINE_EXCEEDED in time, and writes nothing after it', async () => {
    const { refreshToken } = await scene.client.issue();
    scene.flowing = false;
    scene.client.deadlineMs = 100;
    const startMs = Date.now();
    const call = failureOfCall(scene.client.refresh(refreshToken));
    await scene.held();
    expect((await call).code).to.equal('DEADLINE_EXCEEDED');
    expect(Date.now() - startMs).to.be.lessThan(5_000);
    scene.world.nowMs += 150;
    scene.flowing = true;
    scene.client.deadlineMs = 5_000;
    await scene.client.validate((await scene.client.issue()).accessToken);
    expect(scene.world.size).to.equal(0);
  });

  it('says whether it can serve, to who asks and to who watches', async () => {
    const { client } = scene;
    for (const service of ['', 'auth.v1.AuthService', 'auth.v1.IssuerService']) {
      expect(await client.health(service)).to.equal('SERVING');
    }
    expect((await failureOfCall(client.health('no.such.Service'))).code).to.equal('NOT_FOUND');
    const states: string[] = [];
    const cancel = client.watchHealth('auth.v1.AuthService', (state) => states.push(state));
    await until(() => states.length > 0);
    scene.world.setReachable(false);
    await until(() => states.length > 1);
    expect(await client.health()).to.equal('NOT_SERVING');
    scene.world.setReachable(true);
    await until(() => states.length > 2);
    cancel();
    expect(states).to.deep.equal(['SERVING', 'NOT_SERVING', 'SERVING']);
  });

  it('lists the states of all its services', async () => {
    const client = new HealthClient(scene.address, credentials.createInsecure());
    const states = await new Promise<HealthListResponse>((resolve, reject) =>
      client.list({}, (error, response) => (error ? reject(error) : resolve(response))),
    );
    client.close();
    expect(Object.keys(states.statuses)).to.deep.equal(['', 'auth.v1.AuthService', 'auth.v1.IssuerService']);
    expect(new Set(Object.values(states.statuses).map(({ status }) => status))).to.deep.equal(new Set([1]));
  });

  it('listens on each address of a name, with one port', async () => {
    const named = await GrpcScene.start({ address: { host: 'localhost', port: 0 } });
    const port = named.address.split(':').at(-1);
    for (const { address } of await lookup('localhost', { all: true })) {
      const client = new TestClient(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
      expect(await client.health(), address).to.equal('SERVING');
      client.close();
    }
    await named.stop();
  });

  it('remembers nothing of watchers that are gone, nor of names that callers make up', async () => {
    const { client } = scene;
    const states: string[] = [];
    const cancels = [...Array(50).keys()].map((n) => client.watchHealth(`made.up.${n}`, (state) => states.push(state)));
    await until(() => states.length >= 50);
    expect(new Set(states)).to.deep.equal(new Set(['SERVICE_UNKNOWN']));
    scene.world.setReachable(false);
    await holdsFor(50, () => {
      expect(states).to.have.length(50);
    });
    for (const cancel of cancels) cancel();
  });

  it('answers what is no message of the contract as bad input', async () => {
    const [garbage, deep] = [Buffer.from([0xff, 0xff]), nested(60)];
    for (const bytes of [garbage, deep]) {
      const failure = await failureOfCall(callRaw(scene.address, '/auth.v1.IssuerService/IssueToken', bytes));
      expect(failure).to.include({ code: 'INVALID_ARGUMENT', field: 'request' });
    }
    const subject = Buffer.from('\n\x01a');
    const proto = Buffer.from('\x12\x11\n\x0f\n\t__proto__\x12\x02 \x01');
    const failure = await failureOfCall(
      callRaw(scene.address, '/auth.v1.IssuerService/IssueToken', Buffer.concat([subject, proto])),
    );
    expect(failure).to.include({ code: 'INVALID_ARGUMENT', field: 'claims', fieldReason: 'RESERVED' });
    expect((await scene.client.issue('__proto__')).accessToken).to.not.equal('');
  });

  it('lets calls under way end when it stops, takes no others, and does not wait for watchers', async () => {
    const { accessToken } = await scene.client.issue();
    const states: string[] = [];
    const cancel = scene.client.watchHealth('', (state) => states.push(state));
    await until(() => states.length >= 1);
    scene.flowing = false;
    const call = scene.client.verdict(accessToken);
    await scene.held();
    const startMs = Date.now();
    const stopped = scene.server.stop(10_000);
    // While the call is under way still, so that balancers turn away in time.
    await until(() => states.length >= 2);
    expect(states).to.deep.equal(['SERVING', 'NOT_SERVING']);
    expect((await failureOfCall(scene.client.validate(accessToken))).code).to.equal('UNAVAILABLE');
    scene.flowing = true;
    expect(await call).to.equal('active');
    await stopped;
    cancel();
    expect(Date.now() - startMs).to.be.lessThan(5_000);
  });

  it('stops by force after its bound', async () => {
    const { accessToken } = await scene.client.issue();
    scene.flowing = false;
    const call = failureOfCall(scene.client.validate(accessToken));
    await scene.held();
    const startMs = Date.now();
    await scene.server.stop(200);
    expect(Date.now() - startMs).to.be.within(150, 5_000);
    expect((await call).code).to.be.oneOf(['UNAVAILABLE', 'CANCELLED', 'INTERNAL']);
  });
});

/** An IssueTokenRequest whose claims are lists within lists. */
function nested(levels: number): Buffer {
  const field = (number: number, bytes: Buffer): Buffer => {
    const size = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
  };
  let value = Buffer.alloc(0);
  for (let level = 0; level < levels; level++) value = Buffer.from(field(6, field(1, value)));
  const entry = Buffer.concat([field(1, Buffer.from('deep')), field(2, value)]);
  return field(2, field(1, entry));
}

function callRaw(address: string, path: string, bytes: Buffer): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure());
  const same = (each: Buffer): Buffer => each;
  return new Promise<Buffer>((resolve, reject) => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${ISSUER_TOKEN}`);
    client.makeUnaryRequest(path, same, same, bytes, metadata, (error, answer) =>
      error ? reject(new CallFailed(failureOf(error))) : resolve(answer ?? Buffer.alloc(0)),
    );
  }).finally(() => client.close());
}
