// Tests of WatchRevocations by a real client: its order, its pongs, its bounds, and its end.

import { generateKeyPairSync } from 'node:crypto';
import { connect, constants } from 'node:http2';
import { expect } from 'chai';
import { JwtKeys } from '../../src/adapters/jwt/jwt-keys.js';
import { keyFromPem } from '../../src/adapters/jwt/key-pair.js';
import { keyFromSecret } from '../../src/adapters/jwt/signing-key.js';
import { MARGIN_MS, MAX_ENTRIES } from '../../src/core/feed/limits.js';
import { DEFAULT_LIMITS } from '../../src/grpc/transport/limits.js';
import { FeedStream } from '../support/feed-stream.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { openCall } from '../support/http2-call.js';
import { JWT_SECRET } from '../support/processes.js';
import { holdsFor, until } from '../support/waiting.js';
import { MINUTE, SECOND, whatOf } from '../support/world.js';

describe('WatchRevocations', () => {
  let scene: GrpcScene;
  const streams: FeedStream[] = [];
  before(async () => {
    scene = await GrpcScene.start();
  });
  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close();
    await until(() => scene.feed.watchers === 0);
  });
  after(() => scene.stop());

  const open = (first?: object): FeedStream => {
    const stream = new FeedStream(scene.address, undefined, first);
    streams.push(stream);
    return stream;
  };
  const ended = async (subject: string): Promise<string> => {
    const { sessionId, refreshToken } = await scene.client.issue(subject);
    await scene.client.logout({ refreshToken });
    return `s${sessionId.replaceAll('-', '')}`;
  };

  it('begins with settings and keys, then all that still matters, and a pong never before', async () => {
    const before = await ended('ann');
    const stream = open();
    const { id, storeTimeMs, uncovered } = await stream.pong();
    expect([id, storeTimeMs, uncovered.length]).to.deep.equal([1, scene.world.nowMs, 0]);
    expect(stream.messages[0]?.settings).to.deep.equal({
      ...{ issuer: undefined, audience: [], accessTtlSeconds: 300, sessionMaxSeconds: 30 * 24 * 3600, shards: 2 },
    });
    expect(stream.messages[0]?.keys).to.deep.equal({ keys: [] });
    expect(stream.messages.filter(({ settings, keys }) => settings ?? keys)).to.have.length(1);
    expect([...stream.states.keys()].sort()).to.deep.equal([0, 1]);
    expect(stream.said).to.include(before);
    const at = (holds: (index: number) => boolean) => stream.messages.findIndex((_, index) => holds(index));
    const caughtUp = at((index) => stream.messages[index]?.caughtUp ?? false);
    expect(at((index) => stream.messages[index]?.pong !== undefined)).to.be.at.least(caughtUp);
  });

  it('has streamed an end before the pong of a ping that follows its acknowledgement', async () => {
    const stream = open();
    for (let i = 0; i < 20; i++) {
      const end = await ended('ann');
      await stream.pong(i % 2 === 0);
      expect(stream.said).to.include(end);
    }
  });

  it('streams ends without a ping, and a cut-off with its time', async () => {
    const stream = open();
    await stream.pong();
    await scene.client.revokeSubject('carl');
    const what = whatOf({ kind: 'not-before', subject: 'carl' });
    await stream.until(() => stream.said.includes(what));
    const cut = stream.messages.flatMap(({ revocations }) => revocations).find(({ subject }) => subject)?.subject;
    // After the birth of the shard.
    expect(cut?.notBeforeMs).to.equal(scene.world.nowMs + 1);
  });

  it('answers many pings by the pong of the last one', async () => {
    const stream = open();
    await stream.pong();
    for (let i = 0; i < 50; i++) stream.ping();
    await stream.pong();
    expect(stream.pongs.at(-1)?.id).to.equal(52);
    expect(stream.pongs.length).to.be.below(10);
  });

  it('answers a ping that comes while the logs are read by the round after it', async () => {
    const stream = open();
    await stream.pong();
    scene.flowing = false;
    const first = stream.ping();
    await scene.held();
    const late = stream.ping();
    scene.flowing = true;
    await stream.until(() => stream.pongs.some(({ id }) => id === late));
    // The store's step had been asked for before the second ping was sent.
    expect(stream.pongs.map(({ id }) => id)).to.include(first);
  });

  it('answers the pings of a round that failed unexpectedly by the next round', async () => {
    const stream = open();
    await stream.pong();
    const { reader } = scene;
    const round = reader.round;
    reader.round = () => {
      reader.round = round;
      throw new Error('a planted fault');
    };
    await stream.pong(false);
    expect(reader.round).to.equal(round);
  });

  it('streams new keys though there is no other news', async () => {
    const keys = new JwtKeys(keyFromSecret(JWT_SECRET));
    const other = await GrpcScene.start({ keys });
    const [stream, quiet] = [new FeedStream(other.address), new FeedStream(other.address)];
    await Promise.all([stream.pong(), quiet.pong()]);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { kid, publicJwk } = keyFromPem(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
    const published = publicJwk ? [publicJwk] : [];
    keys.publicKeys = () => published;
    for (const each of [stream, quiet])
      await each.until(() => each.messages.some((message) => message.keys?.keys[0]?.kid === kid));
    stream.close();
    quiet.close();
    await other.stop();
  });

  it('names the shards that it could not read, and goes on', async () => {
    const stream = open();
    await stream.pong();
    scene.world.refuses = true;
    expect([...(await stream.pong()).uncovered]).to.deep.equal([3]);
    scene.world.refuses = false;
    expect((await stream.pong()).uncovered).to.have.length(0);
  });

  it('raises what it is complete since by what it drops', async () => {
    scene.world.nowMs += MINUTE;
    const end = await ended('ann');
    const stream = open();
    await stream.pong();
    expect(stream.said).to.include(end);
    const completeBefore = stream.states.get(1)?.completeSinceMs ?? 0;
    const atMs = scene.world.nowMs;
    scene.world.nowMs += 5 * MINUTE + 71 * SECOND;
    await stream.pong();
    await stream.until(() => (stream.states.get(1)?.completeSinceMs ?? 0) > completeBefore);
    expect(stream.states.get(1)?.completeSinceMs).to.be.within(atMs + 10 * SECOND, atMs + 10 * SECOND + 1);
    const late = open();
    await late.pong();
    expect(late.said).to.not.include(end);
  });

  it('holds no more entries than its bound, and is complete only since those that it dropped', async () => {
    const other = await GrpcScene.start();
    const { window } = other.reader;
    const firstMs = other.world.nowMs;
    const add = (n: number): void => {
      const what = `s${n.toString(16).padStart(32, '0')}`;
      window.add({ shard: 0, what, notBeforeMs: 0, atMs: firstMs + n });
    };
    for (let n = 0; n < MAX_ENTRIES; n++) add(n);
    const stream = new FeedStream(other.address);
    await stream.pong();
    expect(window.size).to.equal(MAX_ENTRIES);
    expect(stream.said).to.have.length(MAX_ENTRIES);
    expect(stream.states.get(0)?.completeSinceMs).to.be.below(firstMs + MARGIN_MS + 50);
    for (let n = 0; n < 100; n++) add(MAX_ENTRIES + n);
    await stream.pong();
    await stream.until(() => (stream.states.get(0)?.completeSinceMs ?? 0) >= firstMs + 99 + MARGIN_MS);
    expect(window.size).to.equal(MAX_ENTRIES);
    stream.close();
    await other.stop();
  });

  it('goes on for a client that closes its half, as one does that only watches', async () => {
    const stream = open();
    stream.halfClose();
    await stream.until(() => stream.isCaughtUp);
    const end = await ended('ann');
    await stream.until(() => stream.said.includes(end));
  });

  for (const [what, first] of [
    ['a first message that is no start', { ping: { id: 1, urgent: false } }],
    ['an empty first message', {}],
  ] as const) {
    it(`refuses ${what}`, async () => {
      expect(await open(first).ended).to.equal('INVALID_ARGUMENT');
    });
  }

  it('refuses a second start, and a ping whose id is no higher', async () => {
    const [again, lower] = [open(), open()];
    again.send({ start: {} });
    lower.send({ ping: { id: 7, urgent: false } });
    lower.send({ ping: { id: 7, urgent: false } });
    expect(await again.ended).to.equal('INVALID_ARGUMENT');
    expect(await lower.ended).to.equal('INVALID_ARGUMENT');
  });

  it('refuses a stream too many, and takes another once one has gone', async () => {
    const three = [open(), open(), open()];
    await Promise.all(three.map((stream) => stream.pong()));
    expect(await open().ended).to.equal('RESOURCE_EXHAUSTED');
    three[0]?.close();
    await until(() => scene.feed.watchers <= 2);
    await open().pong();
  });

  it('cuts off a client that does not read, and keeps nothing for it but its position', async () => {
    const other = await GrpcScene.start({ limits: { ...DEFAULT_LIMITS, messageTimeoutMs: 100 } });
    // More than fits into the flow-control window and the client's buffer, which has 64 KiB from Node 22 on.
    for (let n = 0; n < 20_000; n++) {
      const what = `s${n.toString(16).padStart(32, '0')}`;
      other.reader.window.add({ shard: 0, what, notBeforeMs: 0, atMs: other.world.nowMs });
    }
    const session = connect(`http://${other.address}`);
    const { stream, ended } = openCall(session, '/auth.v1.AuthService/WatchRevocations');
    stream.pause();
    stream.write(Buffer.from([0, 0, 0, 0, 2, 0x0a, 0]));
    await until(() => other.feed.watchers > 0);
    await until(() => other.feed.watchers === 0);
    stream.resume();
    expect((await ended).rstCode).to.equal(constants.NGHTTP2_CANCEL);
    session.destroy();
    await other.stop();
  });

  it('reads nothing while there is no watcher', async () => {
    const { reader } = scene;
    const round = reader.round.bind(reader);
    let underWay = 0;
    reader.round = () => {
      underWay++;
      return round().finally(() => underWay--);
    };
    await open().pong();
    for (const stream of streams.splice(0)) stream.close();
    await until(() => scene.feed.watchers === 0 && underWay === 0);
    scene.flowing = false;
    await holdsFor(60, () => {
      expect(scene.world.pending).to.have.length(0);
    });
    scene.flowing = true;
  });

  it('ends with UNAVAILABLE when the service stops', async () => {
    const other = await GrpcScene.start();
    const stream = new FeedStream(other.address);
    await stream.pong();
    const stopped = other.stop();
    expect(await stream.ended).to.equal('UNAVAILABLE');
    stream.close();
    await stopped;
  });
});
