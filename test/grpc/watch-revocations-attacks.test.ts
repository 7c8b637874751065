// Tests of WatchRevocations against clients that send what they should not, or too much of it.

import { connect } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../../src/grpc/transport/limits.js';
import { FeedStream } from '../support/feed-stream.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { openCall } from '../support/http2-call.js';
import { until } from '../support/waiting.js';

const PATH = '/auth.v1.AuthService/WatchRevocations';
const START = Buffer.from([0x0a, 0]);
const FLOOD = 100_000;
const STREAMS = 1_000;

/** A message with its prefix. */
const framed = (bytes: Buffer): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
};
/** A ping with an id as it is on the wire. */
const ping = (...id: readonly number[]): Buffer => Buffer.from([0x12, id.length + 1, 0x08, ...id]);

describe('WatchRevocations, attacked', () => {
  let scene: GrpcScene;
  before(async () => {
    scene = await GrpcScene.start({ limits: { ...DEFAULT_LIMITS, messageTimeoutMs: 300 }, maxWatchers: STREAMS + 10 });
  });
  after(() => scene.stop());

  const quiet = (): Promise<number> => until(() => scene.feed.watchers === 0);

  for (const [what, code, messages] of [
    ['the largest id', 'INVALID_ARGUMENT', [START, ping(...Array.from({ length: 9 }, () => 0xff), 1)]],
    ['an id beyond 2^53', 'INVALID_ARGUMENT', [START, ping(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20)]],
    ['the id 0', 'INVALID_ARGUMENT', [START, ping(0)]],
    ['an id of eleven bytes', 'INVALID_ARGUMENT', [START, ping(...Array.from({ length: 11 }, () => 0xff), 1)]],
    ['bytes that are no message', 'INVALID_ARGUMENT', [START, Buffer.from('ffffffffff', 'hex')]],
    ['such bytes at first', 'INVALID_ARGUMENT', [Buffer.from('ffffffffff', 'hex')]],
    ['a message of more than 1 KiB', 'RESOURCE_EXHAUSTED', [START, Buffer.concat([ping(1), Buffer.alloc(2_000)])]],
    ['such a message at first', 'RESOURCE_EXHAUSTED', [Buffer.alloc(2_000)]],
    ['nothing at all', 'DEADLINE_EXCEEDED', []],
    ['half a message', 'DEADLINE_EXCEEDED', []],
  ] as const) {
    it(`ends a stream with ${what}, and no other`, async () => {
      const other = new FeedStream(scene.address);
      await other.pong();
      const session = connect(`http://${scene.address}`);
      const { stream, ended } = openCall(session, PATH);
      for (const each of messages) stream.write(framed(each));
      if (what === 'half a message') stream.write(framed(START).subarray(0, 3));
      stream.resume();
      expect(status[(await ended).status ?? status.UNKNOWN]).to.equal(code);
      await other.pong();
      session.destroy();
      other.close();
      await quiet();
    });
  }

  it('reads the store no more often for a flood of urgent pings, and answers others meanwhile', async () => {
    const other = new FeedStream(scene.address);
    await other.pong();
    const session = connect(`http://${scene.address}`);
    const { stream } = openCall(session, PATH);
    session.on('error', () => {});
    stream.on('error', () => {});
    stream.resume();
    stream.write(framed(START));
    const startMs = performance.now();
    let rounds = 0;
    const { round } = scene.reader;
    scene.reader.round = () => {
      rounds++;
      return round.call(scene.reader);
    };
    // In few large pieces: as tiny frames they would end the connection.
    for (let n = 0; n < FLOOD / 1_000; n++) {
      const pings = Array.from({ length: 1_000 }, (_, m) => {
        const id = n * 1_000 + m + 1;
        return framed(Buffer.from([0x12, 6, 0x08, 0x80 | (id & 127), 0x80 | ((id >> 7) & 127), id >> 14, 0x10, 1]));
      });
      stream.write(Buffer.concat(pings));
    }
    for (let n = 0; n < 20; n++) await other.pong();
    const tookMs = performance.now() - startMs;
    scene.reader.round = round;
    expect(rounds).to.be.below(tookMs / 5 + 3);
    session.destroy();
    other.close();
    await quiet();
  });

  it('ends a thousand streams at the stop of the service, each with UNAVAILABLE', async () => {
    const stopping = await GrpcScene.start({ maxWatchers: STREAMS });
    const sessions = Array.from({ length: STREAMS / 100 }, () => connect(`http://${stopping.address}`));
    const calls = sessions.flatMap((session) =>
      Array.from({ length: 100 }, () => {
        const call = openCall(session, PATH);
        call.stream.write(framed(START));
        call.stream.resume();
        return call;
      }),
    );
    await until(() => stopping.feed.watchers >= STREAMS);
    const refused = new FeedStream(stopping.address);
    expect(await refused.ended).to.equal('RESOURCE_EXHAUSTED');
    refused.close();
    const stopped = stopping.stop();
    const ends = await Promise.all(calls.map(({ ended }) => ended));
    expect(new Set(ends.map((end) => end.status))).to.deep.equal(new Set([status.UNAVAILABLE]));
    for (const session of sessions) session.destroy();
    await stopped;
    expect(stopping.feed.watchers).to.equal(0);
  });
});
