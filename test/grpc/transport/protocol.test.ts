// Tests of the transport against gRPC over HTTP/2 as the protocol describes it, by a client that writes its own heads and bytes.

import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../../../src/grpc/transport/limits.js';
import {
  type Answer,
  type CallAdmission,
  type IncomingCall,
  StatusError,
  type StreamingCall,
} from '../../../src/grpc/transport/method.js';
import { Routes } from '../../../src/grpc/transport/routes.js';
import { Transport } from '../../../src/grpc/transport/transport.js';
import { formatAddress } from '../../../src/platform/env.js';
import { call, type Ended, openCall } from '../../support/http2-call.js';
import { FRAME, frame, message, RawHttp2 } from '../../support/raw-http2.js';
import { RecordingLog } from '../../support/recording-log.js';
import { holdsFor, until } from '../../support/waiting.js';

const MAX_REQUEST_BYTES = 64 * 1024;
const MIB = 1024 * 1024;
const UNARY = '/test.Service/Unary';
const STREAM = '/test.Service/Stream';
const EACH = '/test.Service/Each';
const GATED = '/test.Gated/Unary';
const HELLO = Buffer.from('hello');
/** Refused by the stream that takes each message. */
const BAD = Buffer.from('bad');
/** An error of that stream. */
const FAULT = Buffer.from('fault');

type Unary = (request: Buffer, call: IncomingCall, answer: Answer<Buffer>) => void;

/** A service of bytes: its unary method is what a test sets, its streams answer each message with the same. */
class Scene {
  readonly log = new RecordingLog();
  readonly transport: Transport;
  unary: Unary = (request, _call, answer) => answer(null, request);
  /** Whether a call of the gated method has to wait. */
  isFull = false;
  readonly waiting: { accept(): void; refuse(): void }[] = [];
  address = '';
  session!: ClientHttp2Session;

  constructor(limits = {}) {
    const same = (bytes: Buffer): Buffer => bytes;
    const shape = (path: string, streams = false) => ({
      ...{ path, requestStream: streams, responseStream: streams, requestDeserialize: same, responseSerialize: same },
    });
    const unary: Unary = (request, incoming, answer) => this.unary(request, incoming, answer);
    const routes = new Routes();
    const admission: CallAdmission = {
      open: () => !this.isFull,
      wait: (_path, waiting) => void this.waiting.push(waiting),
      rejection: { code: status.RESOURCE_EXHAUSTED, details: 'full', metadata: new Metadata() },
    };
    const rules = { maxRequestBytes: MAX_REQUEST_BYTES };
    // biome-ignore format: one method a line
    routes.add({ unary: shape(UNARY) }, { unary } as never, rules);
    routes.add({ gated: shape(GATED) }, { gated: unary } as never, { ...rules, admission });
    const stream = async (incoming: StreamingCall<Buffer, Buffer>) => {
      for (let next = await incoming.read(); next; next = await incoming.read()) await incoming.write(next);
    };
    routes.add({ stream: shape(STREAM, true) }, { stream } as never, rules);
    const each = (incoming: StreamingCall<Buffer, Buffer>) =>
      incoming.readEach((next) => {
        if (next.equals(BAD)) throw new StatusError(failure(status.NOT_FOUND, 'bad'));
        if (next.equals(FAULT)) throw new TypeError('fault');
        incoming.send(next, () => {});
      });
    routes.add({ each: shape(EACH, true) }, { each } as never, rules);
    this.transport = new Transport(this.log, { ...DEFAULT_LIMITS, ...limits }, undefined);
    this.transport.add('GRPC_ADDRESS', { host: '127.0.0.1', port: 0 }, routes.all);
  }

  async start(): Promise<void> {
    const [address] = await this.transport.listen();
    if (!address) throw new Error('the transport listens nowhere');
    this.address = formatAddress(address);
    this.session = connect(`http://${this.address}`).on('error', () => {});
    await once(this.session, 'remoteSettings');
  }

  send(more: IncomingHttpHeaders = {}, body: Uint8Array = message(HELLO), path = UNARY): Promise<Ended> {
    return call(this.session, path, body, more);
  }

  stop(): void {
    this.session.destroy();
    this.transport.destroy();
  }
}

const lastCall = (client: RawHttp2): number | undefined => client.of(FRAME.GOAWAY)[0]?.payload.readUInt32BE(0);

const failure = (code: status, details: string, metadata = new Metadata()): StatusObject => ({
  code,
  details,
  metadata,
});

describe('the transport', () => {
  let scene: Scene;
  const begin = async (limits = {}): Promise<void> => {
    scene?.stop();
    scene = new Scene(limits);
    await scene.start();
  };
  beforeEach(() => begin());
  afterEach(() => scene.stop());

  describe('by the head of a call', () => {
    for (const type of [
      'application/grpc',
      'application/grpc+proto',
      'application/grpc;a=b',
      'Application/gRPC+proto ; a=b',
    ]) {
      it(`serves ${type}`, async () => {
        const ended = await scene.send({ 'content-type': type });
        expect(ended).to.include({ status: status.OK });
        expect(ended.body).to.deep.equal(message(HELLO));
        expect(ended.headers[':status']).to.equal(200);
        expect(`${ended.headers['content-type']}`).to.match(/^application\/grpc/);
      });
    }
    it('serves calls without te, which proxies drop', async () => {
      const stream = scene.session.request({ ':method': 'POST', ':path': UNARY, 'content-type': 'application/grpc' });
      stream.end(message(HELLO));
      const [trailers] = await once(stream.resume(), 'trailers');
      expect(trailers['grpc-status']).to.equal('0');
    });
    it('answers other message formats with UNIMPLEMENTED', async () => {
      for (const type of ['application/grpc+json', 'application/grpc+thrift;a=b']) {
        const ended = await scene.send({ 'content-type': type });
        expect(ended, type).to.include({ status: status.UNIMPLEMENTED });
        expect(ended.headers[':status']).to.equal(200);
        expect(ended.details).to.include('application/grpc+proto');
      }
    });
    it('answers other content types with HTTP 415, other methods with 405', async () => {
      for (const type of [
        'application/grpc-web',
        'application/grpc-web+proto',
        'application/grpcs',
        'application/json',
        '',
      ]) {
        expect((await scene.send({ 'content-type': type })).headers[':status'], type).to.equal(415);
      }
      expect((await scene.send({ ':method': 'PUT' })).headers[':status']).to.equal(405);
    });
    it('answers paths that name no method with UNIMPLEMENTED', async () => {
      for (const path of [
        '/',
        `${UNARY}/`,
        `/${UNARY}`,
        `${UNARY}?a=b`,
        UNARY.toLowerCase(),
        '/test.Service/No',
        '/no.Service/Unary',
      ]) {
        const ended = await scene.send({}, message(HELLO), path);
        expect(ended.status, path).to.equal(status.UNIMPLEMENTED);
      }
    });
  });

  describe('by the messages of a call', () => {
    const refused = async (body: Uint8Array, more: IncomingHttpHeaders = {}, path = UNARY): Promise<string> => {
      const { status: code, details } = await scene.send(more, body, path);
      return `${status[code ?? -1]}: ${details}`;
    };
    it('refuses none, or two, to a unary method', async () => {
      expect(await refused(Buffer.alloc(0))).to.match(/^UNIMPLEMENTED: .*no request message/);
      expect(await refused(Buffer.concat([message(HELLO), message(HELLO)]))).to.match(/^UNIMPLEMENTED: .*second/);
    });
    it('refuses one whose end is missing', async () => {
      for (const path of [UNARY, STREAM])
        for (const cut of [1, 4, 7]) {
          expect(await refused(message(HELLO).subarray(0, cut), {}, path), path).to.match(/^INTERNAL: .*incomplete/);
        }
    });
    it('refuses a flag that is neither 0 nor 1', async () => {
      const body = message(HELLO);
      body[0] = 2;
      for (const path of [UNARY, STREAM]) expect(await refused(body, {}, path), path).to.match(/^INTERNAL: .*flag/);
    });
    it('refuses too many bytes by the prefix, with both sizes', async () => {
      for (const path of [UNARY, STREAM]) {
        const text = await refused(message(Buffer.alloc(0), { length: MAX_REQUEST_BYTES + 1 }), {}, path);
        expect(text, path).to.match(/^RESOURCE_EXHAUSTED: .*65537 bytes.*65536/);
      }
    });
    it('unpacks each compression that it names, in unary calls and in streams', async () => {
      for (const path of [UNARY, STREAM])
        for (const [name, packed] of [
          ['gzip', gzipSync(HELLO)],
          ['deflate', deflateSync(HELLO)],
        ] as const) {
          const ended = await scene.send({ 'grpc-encoding': name }, message(packed, { compressed: true }), path);
          expect(ended, `${path} ${name}`).to.include({ status: status.OK });
          expect(ended.body).to.deep.equal(message(HELLO));
          expect(`${ended.headers['grpc-accept-encoding']}`).to.include(name);
        }
    });
    it('hands each message of a stream over in order, however many come at once, compressed or not', async () => {
      const texts = Array.from({ length: 40 }, (_, index) => Buffer.from(`message ${index}`));
      const packed = texts.map((text, index) => (index % 3 === 1 ? gzipSync(text) : text));
      const sent = packed.map((text, index) => message(text, { compressed: index % 3 === 1 }));
      const ended = await scene.send({ 'grpc-encoding': 'gzip' }, Buffer.concat(sent), EACH);
      expect(ended).to.include({ status: status.OK });
      expect(ended.body).to.deep.equal(Buffer.concat(texts.map((text) => message(text))));
    });
    it('ends a stream that takes each message by what it throws, and hands over nothing after that', async () => {
      for (const first of [message(HELLO), message(gzipSync(HELLO), { compressed: true })])
        for (const [thrower, code, details] of [
          [BAD, status.NOT_FOUND, 'bad'],
          [FAULT, status.INTERNAL, 'internal error'],
        ] as const) {
          const body = Buffer.concat([first, message(thrower), message(HELLO), message(HELLO)]);
          const ended = await scene.send({ 'grpc-encoding': 'gzip' }, body, EACH);
          expect(ended).to.include({ status: code, details });
          expect(ended.body).to.deep.equal(message(HELLO));
        }
      // A status is an answer; any other error is a fault of the program.
      expect(scene.log.lines.map(({ level, message, fields }) => [level, message, fields['method']])).to.deep.equal(
        Array.from({ length: 2 }, () => [
          'error',
          'a call could not be answered',
          EACH.slice(EACH.lastIndexOf('/') + 1),
        ]),
      );
      expect(scene.log.lines[0]?.fields['err']).to.be.instanceOf(TypeError);
    });
    it('refuses an unknown compression with the names of those that it knows', async () => {
      for (const path of [UNARY, STREAM]) {
        const ended = await scene.send({ 'grpc-encoding': 'snappy' }, message(HELLO, { compressed: true }), path);
        expect(ended.status).to.equal(status.UNIMPLEMENTED);
        expect(ended.headers['grpc-accept-encoding']).to.equal('identity,deflate,gzip');
      }
    });
    it('refuses a compressed message of a call that names no compression', async () => {
      for (const more of [{}, { 'grpc-encoding': 'identity' }]) {
        expect(await refused(message(HELLO, { compressed: true }), more)).to.match(/^INTERNAL: .*grpc-encoding/);
      }
    });
  });

  describe('by the deadline of a call', () => {
    it('takes each unit', async () => {
      for (const unit of ['H', 'M', 'S', 'm', 'u', 'n']) {
        const ended = await scene.send({ 'grpc-timeout': `99999999${unit}` });
        expect(ended.status, unit).to.equal(status.OK);
        scene.unary = () => {};
        expect((await scene.send({ 'grpc-timeout': `0${unit}` })).status, unit).to.equal(status.DEADLINE_EXCEEDED);
        scene.unary = (request, _call, answer) => answer(null, request);
      }
      for (const text of ['', '1', '1x', '-1S', '123456789n']) {
        expect((await scene.send({ 'grpc-timeout': text })).status, text).to.equal(status.INTERNAL);
      }
    });
    it('ends it, and the handler sees that', async () => {
      let incoming: IncomingCall | undefined;
      scene.unary = (_request, given) => {
        incoming = given;
      };
      const ended = await scene.send({ 'grpc-timeout': '50m' });
      expect(ended.status).to.equal(status.DEADLINE_EXCEEDED);
      expect(incoming?.isCancelled).to.equal(true);
    });
    it('counts from its head, also while it waits for a place', async () => {
      scene.isFull = true;
      const ended = await scene.send({ 'grpc-timeout': '50m' }, message(HELLO), GATED);
      expect(ended.status).to.equal(status.DEADLINE_EXCEEDED);
      expect(scene.waiting).to.have.length(1);
      const answered = scene.unary;
      scene.unary = () => expect.fail('a call whose time was up was handled');
      scene.waiting[0]?.accept();
      scene.unary = answered;
      expect((await scene.send()).status).to.equal(status.OK);
    });
  });

  it('forgets a call that is cancelled: at its handler, and while it waits for a place', async () => {
    const begun = new Promise<IncomingCall>((resolve) => {
      scene.unary = (_request, incoming) => resolve(incoming);
    });
    const one = openCall(scene.session, UNARY);
    one.stream.end(message(HELLO));
    const incoming = await begun;
    expect(incoming.isCancelled).to.equal(false);
    one.stream.close(constants.NGHTTP2_CANCEL);
    while (!incoming.isCancelled) await new Promise(setImmediate);
    scene.isFull = true;
    const waits = openCall(scene.session, GATED);
    waits.stream.end(message(HELLO));
    while (scene.waiting.length === 0) await new Promise(setImmediate);
    waits.stream.close(constants.NGHTTP2_CANCEL);
    scene.unary = (request, _call, answer) => answer(null, request);
    expect((await scene.send()).status).to.equal(status.OK);
    scene.unary = () => expect.fail('a call without a waiting client was handled');
    scene.waiting[0]?.accept();
  });

  it('sends a status as one head, its text percent-encoded, its metadata as base64 where it is bytes', async () => {
    const metadata = new Metadata();
    metadata.add('some-bin', Buffer.from([0, 255, 10]));
    metadata.add('some-bin', Buffer.from('b'));
    metadata.add('some', 'one');
    metadata.add('some', 'two');
    scene.unary = (_request, _call, answer) => answer(failure(status.ABORTED, 'a 100% \u00fc\n', metadata));
    const { headers, body, details } = await scene.send();
    expect(body.length).to.equal(0);
    expect(details).to.equal('a 100% \u00fc\n');
    expect(headers).to.include({ 'grpc-status': '10', 'grpc-message': 'a 100%25 %C3%BC%0A', some: 'one, two' });
    const values = `${headers['some-bin']}`
      .split(',')
      .map((each) => Buffer.from(each.trim(), 'base64').toString('latin1'));
    expect(values).to.deep.equal(['\0\xff\n', 'b']);
  });

  it('sends large answers as fast as they are read, and begins calls while many wait to be read', async () => {
    const answer = Buffer.alloc(256 * 1024, 7);
    scene.unary = (_request, _call, done) => done(null, answer);
    const calls = Array.from({ length: 99 }, () => openCall(scene.session, UNARY));
    let heads = 0;
    for (const { stream } of calls) {
      stream.once('response', () => heads++);
      stream.pause().end(message(HELLO));
    }
    while (heads < calls.length) await new Promise(setImmediate);
    const { stream, ended } = openCall(scene.session, UNARY);
    stream.end(message(HELLO));
    for (const each of calls) each.stream.resume();
    const ends = await Promise.all([...calls.map((each) => each.ended), ended]);
    expect(ends.map(({ status: code }) => code)).to.deep.equal(Array(100).fill(0));
    expect(new Set(ends.map(({ body }) => body.length))).to.deep.equal(new Set([answer.length + 5]));
    scene.unary = (_request, _call, done) => done(null, Buffer.alloc(4 * MIB));
    expect((await scene.send()).body.length).to.equal(4 * MIB + 5);
  });

  it('names its last call when its time is up, and ends those that it began', async () => {
    await begin({ maxConnectionAgeMs: 300 });
    const answers: (() => void)[] = [];
    scene.unary = (request, _call, answer) => void answers.push(() => answer(null, request));
    const [busy, idle] = await Promise.all([RawHttp2.open(scene.address), RawHttp2.open(scene.address)]);
    busy.data(busy.call(UNARY), message(HELLO), true);
    for (const client of [busy, idle]) {
      await client.until(() => client.of(FRAME.GOAWAY).length > 0);
      client.data(client.call(UNARY), message(HELLO), true);
    }
    expect([lastCall(busy), lastCall(idle)]).to.deep.equal([1, 0]);
    await idle.until(() => idle.isClosed);
    expect(idle.ended).to.equal(0);
    expect(answers).to.have.length(1);
    answers[0]?.();
    await busy.until(() => busy.isClosed);
    expect([...busy.endedStreams()]).to.deep.equal([1]);
    expect(scene.log.text).to.equal('[]');
  });

  it('ends calls under way when it closes, and begins no others', async () => {
    let finish: (() => void) | undefined;
    scene.unary = (request, _call, answer) => {
      finish = () => answer(null, request);
    };
    const { stream, ended } = openCall(scene.session, UNARY);
    stream.end(message(HELLO));
    await until(() => finish !== undefined);
    const closed = scene.transport.close();
    const more = openCall(scene.session, UNARY);
    more.stream.end(message(HELLO));
    expect((await more.ended).rstCode).to.equal(constants.NGHTTP2_REFUSED_STREAM);
    finish?.();
    expect((await ended).status).to.equal(status.OK);
    await closed;
  });

  it('does not listen on a part of the addresses of a name while another process has the rest', async () => {
    const addresses = (await lookup('localhost', { all: true })).map((each) => each.address);
    const other = createServer().listen(0, addresses.at(-1));
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const transport = new Transport(scene.log, DEFAULT_LIMITS, undefined);
    transport.add('GRPC_ADDRESS', { host: 'localhost', port }, new Map());
    const error = await transport.listen().catch((fault: unknown) => fault);
    transport.destroy();
    other.close();
    expect(error).to.include({ code: 'ADDRESS_UNUSABLE' });
  });

  it('closes a connection of HTTP/1.1', async () => {
    const [, port] = scene.address.split(':');
    const socket = connectTcp(Number(port), '127.0.0.1').on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket.resume(), 'close');
    expect(scene.log.text).to.include('they violated the HTTP/2 protocol');
  });

  it('says nothing of a broken protocol when a client in Go closes: its GOAWAY names a stream of its own', async () => {
    const raw = await RawHttp2.open(scene.address);
    const stream = raw.call(UNARY);
    raw.data(stream, message(HELLO), true);
    await raw.until(() => raw.ended === 1);
    const goaway = Buffer.alloc(8);
    goaway.writeUInt32BE(stream);
    raw.write(frame(FRAME.GOAWAY, 0, 0, goaway));
    await raw.until(() => raw.isClosed);
    expect(scene.log.text).not.to.include('violated');
  });

  it('says of a client that resets its connection nothing of a broken protocol', async () => {
    const begun = new Promise<void>((resolve) => {
      scene.unary = (_request, incoming, answer) => {
        resolve();
        const timer = setInterval(() => {
          if (incoming.isCancelled) clearInterval(timer);
          else answer(null, Buffer.alloc(MIB));
        }, 5);
      };
    });
    const client = await RawHttp2.open(scene.address);
    client.data(client.call(UNARY), message(HELLO), true);
    await begun;
    client.reset();
    scene.unary = (request, _incoming, answer) => answer(null, request);
    expect((await scene.send()).status).to.equal(status.OK);
    await holdsFor(50, () => {
      expect(scene.log.text).to.equal('[]');
    });
  });
});
