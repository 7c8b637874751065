// Tests of what one caller can make the gRPC port hold: half messages, bombs, unread answers, streams, connections.

import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { IssueTokenRequest } from '../../proto/gen/auth/v1/issuer_service.js';
import { DEFAULT_LIMITS, type TransportLimits } from '../../src/grpc/transport/limits.js';
import { Stage } from '../e2e/stage.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { call, openCall } from '../support/http2-call.js';
import { ISSUER_TOKEN } from '../support/processes.js';
import { FRAME, type Frame, frame, headerBlock, INITIAL_WINDOW_SIZE, message, RawHttp2 } from '../support/raw-http2.js';
import { RecordingLog } from '../support/recording-log.js';
import { elapse, until } from '../support/waiting.js';

const VALIDATE = '/auth.v1.AuthService/ValidateToken';
const VALIDATE_MANY = '/auth.v1.AuthService/ValidateTokens';
const ISSUE = '/auth.v1.IssuerService/IssueToken';
const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const REFLECT = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const CREDENTIAL = { authorization: `Bearer ${ISSUER_TOKEN}` };
const MIB = 1024 * 1024;
const FRAME_BYTES = 16_384;
/** The field include_claims of a batch. */
const WITH_CLAIMS = Buffer.from([16, 1]);

const times = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const field = (number: number, bytes: Uint8Array): Buffer => {
  const size: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest >>>= 7) size.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size, rest]), bytes]);
};

describe('a caller of the gRPC port', () => {
  const log = new RecordingLog();
  const opened: { close(): unknown }[] = [];
  let scene: GrpcScene;

  async function start(limits: Partial<TransportLimits> = {}, more: { readonly reflection?: boolean } = {}) {
    const logger = { ...log, trace: () => {}, debug: () => {}, fatal: () => {}, isLevelEnabled: () => true };
    scene = await GrpcScene.start({ limits: { ...DEFAULT_LIMITS, ...limits }, log: logger as never, ...more });
  }
  async function raw(settings: Readonly<Record<number, number>> = {}): Promise<RawHttp2> {
    const connection = await RawHttp2.open(scene.address, settings);
    opened.push(connection);
    return connection;
  }
  /** A connection with a call under way. */
  async function busy(): Promise<RawHttp2> {
    const connection = await raw();
    connection.data(connection.call(WATCH), message(Buffer.alloc(0)), true);
    await connection.until(() => connection.of(FRAME.DATA).length > 0 || connection.isClosed);
    return connection;
  }
  function session(): ClientHttp2Session {
    const made = connect(`http://${scene.address}`);
    made.on('error', () => {});
    opened.push({ close: () => made.destroy() });
    return made;
  }
  /** Sends a whole call, as fast as the connection's window lets it. */
  async function send(connection: RawHttp2, path: string, body: Buffer): Promise<void> {
    const stream = connection.call(path);
    for (let at = 0; at < body.length && !connection.isClosed; at += FRAME_BYTES) {
      const part = body.subarray(at, at + FRAME_BYTES);
      await connection.until(() => connection.window >= part.length || connection.isClosed);
      connection.data(stream, part, at + FRAME_BYTES >= body.length);
    }
  }
  const isServed = async (): Promise<boolean> =>
    (await scene.client.verdict((await scene.client.issue()).accessToken)) === 'active';
  const logged = (words: string): boolean => log.lines.some(({ message: text }) => text.includes(words));

  afterEach(async () => {
    for (const each of opened.splice(0)) each.close();
    await scene.stop();
    log.lines.splice(0);
  });

  describe('that sends half a message', () => {
    it('is answered DEADLINE_EXCEEDED in time, whatever it goes on to send', async () => {
      await start({ messageTimeoutMs: 300 });
      const client = session();
      const drip = async (path: string): Promise<void> => {
        const { stream, ended } = openCall(client, path);
        stream.write(message(Buffer.alloc(10), { length: 1000 }));
        const timer = setInterval(() => stream.writable && stream.write('x'), 50);
        expect((await ended).status, path).to.equal(status.DEADLINE_EXCEEDED);
        clearInterval(timer);
      };
      await Promise.all([VALIDATE, CHECK, WATCH, REFLECT].map(drip));
      expect(logged('not complete within GRPC_MESSAGE_TIMEOUT')).to.equal(true);
    });

    it('loses its connection where all together hold too much, and others are served', async () => {
      await start({ maxHeldBytes: 2 * MIB });
      const attackers = await Promise.all(times(3).map(() => raw()));
      const half = message(Buffer.alloc(16_000), { length: MIB });
      for (const attacker of attackers) {
        for (const _ of times(60)) {
          if (attacker.isClosed) break;
          if (attacker.window < half.length)
            await attacker.until(() => attacker.window >= half.length || attacker.isClosed);
          attacker.data(attacker.call(VALIDATE), half);
        }
      }
      await Promise.race(attackers.map((each) => each.until(() => each.isClosed)));
      expect(logged('held most of the memory')).to.equal(true);
      expect(await isServed()).to.equal(true);
    });
  });

  it('that sends a message byte by byte loses its connection, and one that sends it in many frames is served', async () => {
    await start();
    const attacker = await raw();
    const stream = attacker.call(VALIDATE_MANY);
    attacker.data(stream, message(Buffer.alloc(0), { length: MIB }));
    attacker.write(Buffer.concat(times(20_000).map(() => frame(FRAME.DATA, 0, stream, Buffer.from([10])))));
    await attacker.until(() => attacker.isClosed);
    expect(logged('in thousands of tiny DATA frames')).to.equal(true);
    const { accessToken } = await scene.client.issue();
    const honest = await raw();
    const body = message(field(1, Buffer.from(accessToken)));
    for (const _ of times(300)) {
      const called = honest.call(VALIDATE);
      for (let at = 0; at < body.length; at += 64)
        honest.data(called, body.subarray(at, at + 64), at + 64 >= body.length);
    }
    await honest.until(() => honest.ended === 300 || honest.isClosed);
    expect(honest.isClosed).to.equal(false);
    expect(await isServed()).to.equal(true);
  });

  describe('that sends compressed messages', () => {
    it('is served if they are honest, by gzip and deflate', async () => {
      await start();
      const { accessToken } = await scene.client.issue();
      const compressed = message(gzipSync(field(1, Buffer.from(accessToken))), { compressed: true });
      const { status: code, body } = await call(session(), VALIDATE, compressed, { 'grpc-encoding': 'gzip' });
      expect([code, body[5], body[6]]).to.deep.equal([status.OK, 8, 1]);
    });

    it('is served where a batch shrinks much, for it holds one token many times', async () => {
      await start();
      const { accessToken } = await scene.client.issue();
      const batch = Buffer.concat(times(1_000).map(() => field(1, Buffer.from(accessToken))));
      const compressed = gzipSync(batch);
      expect(batch.length / compressed.length).to.be.above(64);
      const head = { 'grpc-encoding': 'gzip' };
      const body = message(compressed, { compressed: true });
      expect((await call(session(), VALIDATE_MANY, body, head)).status).to.equal(status.OK);
    });

    it('is refused where many at once unpack to much more than was sent, and others are served', async () => {
      await start();
      const client = session();
      const bomb = message(gzipSync(Buffer.alloc(MIB - 1000)), { compressed: true });
      const head = { 'grpc-encoding': 'gzip' };
      const bombs = times(100).map(() => call(client, VALIDATE, bomb, head));
      const { accessToken } = await scene.client.issue();
      const honest = message(gzipSync(field(1, Buffer.from(accessToken))), { compressed: true });
      expect((await call(session(), VALIDATE, honest, head)).status).to.equal(status.OK);
      const refused = (await Promise.all(bombs)).filter(({ details }) => details.includes('send them uncompressed'));
      expect(refused.length).to.be.above(50);
    });

    it('is refused with several in one call, before any is unpacked', async () => {
      await start();
      const bomb = message(gzipSync(Buffer.alloc(MIB - 1000)), { compressed: true });
      const many = Buffer.concat(times(15).map(() => bomb));
      const { status: code, details } = await call(session(), VALIDATE, many, { 'grpc-encoding': 'gzip' });
      expect([code, details]).to.deep.equal([status.UNIMPLEMENTED, 'the call has a second request message']);
    });

    it('is refused where one unpacks to more than a message may have', async () => {
      await start();
      const bomb = message(gzipSync(Buffer.alloc(4 * MIB)), { compressed: true });
      const { status: code, details } = await call(session(), VALIDATE, bomb, { 'grpc-encoding': 'gzip' });
      expect([code, details]).to.deep.equal([
        status.RESOURCE_EXHAUSTED,
        'the request message is too large: decompressed it has more than 1048576 bytes',
      ]);
    });

    it('gets the list of known compressions', async () => {
      await start();
      const snappy = await call(session(), VALIDATE, message(Buffer.from('x'), { compressed: true }), {
        'grpc-encoding': 'snappy',
      });
      expect(snappy.status).to.equal(status.UNIMPLEMENTED);
      expect(snappy.headers['grpc-accept-encoding']).to.equal('identity,deflate,gzip');
    });
  });

  describe('that does not read its answers', () => {
    it('has its calls ended in time, and they hold nothing then', async () => {
      await start({ messageTimeoutMs: 500 });
      const attacker = await raw({ [INITIAL_WINDOW_SIZE]: 0 });
      for (const _ of times(20)) attacker.data(attacker.call(VALIDATE), message(field(1, Buffer.from('x'))), true);
      for (const _ of times(20)) attacker.data(attacker.call(WATCH), message(Buffer.alloc(0)), true);
      await attacker.until(() => new Set(attacker.of(FRAME.RST_STREAM).map(({ stream }) => stream)).size === 40);
      expect(logged('did not read the response within GRPC_MESSAGE_TIMEOUT')).to.equal(true);
    });

    it('has them ended at the deadline of the call, if that is sooner', async () => {
      await start();
      const attacker = await raw({ [INITIAL_WINDOW_SIZE]: 0 });
      const stream = attacker.call(VALIDATE, { 'grpc-timeout': '200m' });
      attacker.data(stream, message(field(1, Buffer.from('x'))), true);
      await attacker.until(() => attacker.of(FRAME.RST_STREAM).some((each) => each.stream === stream));
    });

    it('loses its connection where unread answers hold too much', async () => {
      await start({ maxHeldBytes: MIB });
      const { accessToken } = await scene.client.issue('alice', { text: 'x'.repeat(4000) });
      const attacker = await raw({ [INITIAL_WINDOW_SIZE]: 0 });
      const tokens = times(10).map(() => field(1, Buffer.from(accessToken)));
      for (const _ of times(40)) await send(attacker, VALIDATE_MANY, message(Buffer.concat([...tokens, WITH_CLAIMS])));
      await attacker.until(() => attacker.isClosed);
      expect(logged('held most of the memory')).to.equal(true);
      expect(await isServed()).to.equal(true);
    });
  });

  describe('that breaks the protocol', () => {
    const broken: Readonly<Record<string, Buffer>> = {
      'SETTINGS of a wrong size': frame(FRAME.SETTINGS, 0, 0, Buffer.alloc(5)),
      'RST_STREAM of a wrong size': frame(FRAME.RST_STREAM, 0, 1, Buffer.alloc(3)),
      'DATA for no stream': frame(FRAME.DATA, 0, 0, Buffer.alloc(3)),
      'another protocol': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    };
    it('is disconnected at once, however it does so', async () => {
      await start();
      const takes = async ([name, bytes]: [string, Buffer]): Promise<void> => {
        const attacker = await raw();
        await attacker.until(() => attacker.of(FRAME.SETTINGS).length === 2);
        const startMs = Date.now();
        attacker.write(bytes);
        await attacker.until(() => attacker.isClosed);
        expect(Date.now() - startMs, name).to.be.below(10_000);
      };
      await Promise.all(Object.entries(broken).map(takes));
    });

    it('is disconnected soon also with a call under way', async () => {
      await start({ messageTimeoutMs: 500 });
      const takes = async ([name, bytes]: [string, Buffer]): Promise<void> => {
        const attacker = await busy();
        const startMs = Date.now();
        attacker.write(bytes);
        await attacker.until(() => attacker.isClosed);
        expect(Date.now() - startMs, name).to.be.below(10_000);
      };
      await Promise.all(Object.entries(broken).map(takes));
    });

    it('is cut off in a flood of CONTINUATION frames', async () => {
      await start();
      const attacker = await raw();
      attacker.write(frame(FRAME.HEADERS, 0, 1, headerBlock(VALIDATE)));
      const more = frame(FRAME.CONTINUATION, 0, 1, headerBlock(VALIDATE, { x: 'y'.repeat(8000) }));
      for (const _ of times(50)) attacker.write(more);
      await attacker.until(() => attacker.isClosed);
      expect(await isServed()).to.equal(true);
    });

    it('is cut off when it resets streams as fast as it opens them', async () => {
      await start();
      const attacker = await raw();
      for (const _ of times(3_000)) {
        const stream = attacker.call(VALIDATE);
        attacker.write(frame(FRAME.RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8])));
      }
      await attacker.until(() => attacker.isClosed);
      expect(await isServed()).to.equal(true);
    });
  });

  describe('that sends what takes long to decode', () => {
    it('is refused by a count of its fields', async () => {
      await start();
      const client = session();
      const tokens = Buffer.alloc(MIB - 16);
      for (let at = 0; at < tokens.length; at += 2) tokens[at] = 0x0a;
      const entry = Buffer.from([0x0a, 0x05, 0x0a, 0x01, 0x61, 0x12, 0x00]);
      const claims = field(2, Buffer.concat(times(45_000).map(() => entry)));
      for (const [path, bytes] of [
        [VALIDATE_MANY, tokens],
        [VALIDATE, tokens],
        [ISSUE, claims],
      ] as const) {
        const { status: code, details } = await call(client, path, message(bytes), CREDENTIAL);
        expect(code, path).to.equal(status.INVALID_ARGUMENT);
        expect(details, path).to.match(/at most 2000 fields|use fewer claims/);
      }
    });

    it('is served with as many claims as a token has room for', async () => {
      await start();
      const claims = { list: Array.from({ length: 2_000 }, (_, index) => index % 10) };
      expect((await scene.client.issue('alice', claims)).accessToken).to.not.equal('');
    });
  });

  it('without the credential of the issuer is refused before its message has come, in other words than with a wrong one', async () => {
    await start();
    const client = session();
    const missing = await openCall(client, ISSUE).ended;
    const wrong = await openCall(client, ISSUE, { authorization: 'Bearer wrong' }).ended;
    expect([missing.status, wrong.status]).to.deep.equal([status.UNAUTHENTICATED, status.UNAUTHENTICATED]);
    expect(missing.details).to.include('is missing').and.include('ISSUER_TOKEN');
    expect(wrong.details).to.include('is wrong').and.include('ISSUER_TOKEN');
    const right = openCall(client, ISSUE, CREDENTIAL);
    right.stream.end(
      message(IssueTokenRequest.encode({ subject: 'alice', claims: undefined, clientId: '', scope: '' }).finish()),
    );
    expect((await right.ended).status).to.equal(status.OK);
  });

  it('may set any timeout that the protocol has', async () => {
    await start();
    const client = session();
    const { accessToken } = await scene.client.issue();
    const request = message(field(1, Buffer.from(accessToken)));
    // The calls wait for the store, longer than a timer that has overflowed.
    scene.flowing = false;
    const timeouts = ['597H', '1193H', '99999999H', '2147484S', '99999999S', '10S'];
    const calls = timeouts.map((timeout) => call(client, VALIDATE, request, { 'grpc-timeout': timeout }));
    await scene.held();
    await elapse(100, 'longer than a timer that has overflowed');
    scene.flowing = true;
    const codes = (await Promise.all(calls)).map(({ status: code }) => code);
    expect(codes).to.deep.equal(timeouts.map(() => status.OK));
    const bad = await call(client, VALIDATE, request, { 'grpc-timeout': 'soon' });
    expect(bad.status).to.equal(status.INTERNAL);
  });

  describe('that asks reflection', () => {
    const LIST = message(Buffer.from([0x3a, 0x00]));

    it('has as many answers under way as it reads, however many requests it sends', async () => {
      await start();
      const attacker = await raw({ [INITIAL_WINDOW_SIZE]: 0 });
      const flood = Buffer.concat(times(2_000).map(() => LIST));
      const stream = attacker.call(REFLECT);
      const isOpened = (each: Frame): boolean => each.type === FRAME.WINDOW_UPDATE && each.stream === stream;
      let sent = 0;
      for (const endMs = Date.now() + 1_000; Date.now() < endMs; await elapse(5, 'paces requests')) {
        const opened = attacker.frames.filter(isOpened).reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
        if (sent + flood.length > 65_535 + opened || attacker.window < flood.length) continue;
        attacker.data(stream, flood);
        sent += flood.length;
      }
      expect(sent).to.be.below(300_000);
      expect(await isServed()).to.equal(true);
    });

    it('has a bounded number of requests in a stream', async () => {
      await start();
      const { status: code, body } = await call(session(), REFLECT, Buffer.concat(times(1_001).map(() => LIST)));
      expect(code).to.equal(status.RESOURCE_EXHAUSTED);
      expect(body.length).to.be.above(1_000);
    });

    it('has a bounded number of streams at once', async () => {
      await start();
      const client = session();
      const calls = times(20).map(() => openCall(client, REFLECT));
      const refused = await Promise.all(calls.slice(16).map(({ ended }) => ended));
      expect(new Set(refused.map(({ status: code }) => code))).to.deep.equal(new Set([status.RESOURCE_EXHAUSTED]));
    });

    it('is not answered where GRPC_REFLECTION turns it off', async () => {
      await start({}, { reflection: false });
      expect((await call(session(), REFLECT, LIST)).status).to.equal(status.UNIMPLEMENTED);
    });
  });

  describe('that opens connections', () => {
    it('has a bounded number from one address', async () => {
      await start({ maxConnectionsPerAddress: 3 });
      await Promise.all(times(3).map(busy));
      const more = await raw();
      await more.until(() => more.isClosed);
      expect(logged('GRPC_MAX_CONNECTIONS_PER_ADDRESS')).to.equal(true);
    });

    it('does not shut others of its address out by those that it does not use', async () => {
      await start({ maxConnectionsPerAddress: 3 });
      const idle = await raw();
      await idle.until(() => idle.of(FRAME.SETTINGS).length === 2);
      await busy();
      await busy();
      const honest = await busy();
      await idle.until(() => idle.isClosed);
      expect(honest.isClosed).to.equal(false);
    });

    it('finds no room where all together have as many as the process takes', async () => {
      await start({ maxConnections: 3 });
      const held = await Promise.all(times(3).map(busy));
      const more = await raw();
      await more.until(() => more.isClosed);
      expect(logged('GRPC_MAX_CONNECTIONS is reached')).to.equal(true);
      held[0]?.close();
      await until(isServed);
    });

    it('loses those on which nothing goes on', async () => {
      await start({ maxConnectionIdleMs: 300 });
      const idle = await raw();
      await idle.until(() => idle.isClosed);
      expect(idle.of(FRAME.GOAWAY).length).to.be.above(0);
    });

    it('loses those that are old; its calls end well, and streams without end when the grace is over', async () => {
      await start({ maxConnectionAgeMs: 300, maxConnectionAgeGraceMs: 700 });
      const states: string[] = [];
      const stopWatching = scene.client.watchHealth('', (state) => states.push(state));
      const { accessToken } = await scene.client.issue();
      const old = await raw();
      const found = new Set<string>();
      do found.add(await scene.client.verdict(accessToken));
      while (!old.isClosed);
      expect(found).to.deep.equal(new Set(['active']));
      expect(states).to.include('SERVING');
      stopWatching();
    });

    it('loses those that begin no HTTP/2 in time', async () => {
      await start({ handshakeTimeoutMs: 100 });
      const socket = connectTcp(Number(scene.address.split(':')[1]), '127.0.0.1');
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('close', resolve).resume());
      expect(logged('no TLS or HTTP/2 handshake in time')).to.equal(true);
    });
  });

  it('finds the log bounded, however much it tries', async () => {
    await start({ maxConnectionsPerAddress: 1 });
    const first = await busy();
    for (const _ of times(50)) {
      const more = await raw();
      await more.until(() => more.isClosed);
    }
    expect(log.lines.filter(({ message: text }) => text.includes('PER_ADDRESS'))).to.have.length(1);
    expect(first.isClosed).to.equal(false);
  });
});

describe('serve under attack', function () {
  this.timeout(120_000);
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('stays small and in time, and is calm when the attackers have gone', async () => {
    const node = await stage.serve(await stage.folder());
    const client = stage.client(node.process.address);
    const { accessToken } = await client.issue();
    const pid = node.process.child.pid ?? 0;
    const residentMib = (): number =>
      Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
    const bomb = message(gzipSync(Buffer.alloc(MIB - 1000)), { compressed: true });
    const half = message(Buffer.alloc(16_000), { length: MIB });
    const asks = Buffer.concat(times(2_000).map(() => message(Buffer.from([0x3a, 0x00]))));
    const endMs = Date.now() + 2_500;
    let mostMib = 0;
    let served = 0;
    const attack = async (path: string, body: Buffer, end: boolean, head: Record<string, string>): Promise<void> => {
      let attacker = await RawHttp2.open(node.process.address, { [INITIAL_WINDOW_SIZE]: 0 });
      let open = 0;
      while (Date.now() < endMs) {
        if (attacker.isClosed) attacker = await RawHttp2.open(node.process.address, { [INITIAL_WINDOW_SIZE]: 0 });
        mostMib = Math.max(mostMib, residentMib());
        if (attacker.window < body.length || open - attacker.ended > 90) await elapse(2, 'paces calls');
        else {
          attacker.data(attacker.call(path, head), body, end);
          open++;
        }
        if (open % 10 === 0) await elapse(0, 'the server has its turn');
      }
      attacker.close();
    };
    const attacks = [
      ...times(3).map(() => attack(VALIDATE, half, false, {})),
      attack(CHECK, Buffer.concat(times(15).map(() => bomb)), false, { 'grpc-encoding': 'gzip' }),
      attack(VALIDATE, bomb, true, { 'grpc-encoding': 'gzip' }),
      attack(REFLECT, asks, false, {}),
      attack(WATCH, message(Buffer.alloc(0)), true, {}),
    ];
    while (Date.now() < endMs) {
      expect(await client.verdict(accessToken)).to.equal('active');
      served++;
      await elapse(20, 'paces calls');
    }
    await Promise.all(attacks);
    expect(mostMib).to.be.below(300);
    expect(served).to.be.above(5);
    const startMs = Date.now();
    expect(await client.verdict(accessToken)).to.equal('active');
    expect(Date.now() - startMs).to.be.below(5_000);
  });
});
