// Tests of WatchRevocations over TLS and mutual TLS: who may watch, and that a stream outlives its certificate.

import { credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { Certificates } from '../../src/platform/tls/certificates.js';
import type { Pair } from '../support/certificates.js';
import { FeedStream } from '../support/feed-stream.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { RecordingLog } from '../support/recording-log.js';
import { LOCAL, TlsScene } from '../support/tls-scene.js';

describe('WatchRevocations over TLS', () => {
  let tls: TlsScene;
  let scene: GrpcScene;
  let certificates: Certificates;
  const streams: FeedStream[] = [];

  const start = async (options: { readonly asksClients?: boolean } = {}): Promise<void> => {
    certificates = new Certificates(tls.files(options), new RecordingLog(), { lookEveryMs: 60_000 });
    scene = await GrpcScene.start({ certificates });
  };
  beforeEach(() => {
    tls = new TlsScene();
  });
  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close();
    certificates.close();
    await scene.stop();
    tls.clear();
  });

  const watch = (shown?: Pair, ca = tls.authority.cert): FeedStream => {
    const [key, cert] = shown ? [Buffer.from(shown.key), Buffer.from(shown.cert)] : [];
    const channel = credentials.createSsl(Buffer.from(ca), key ?? null, cert ?? null);
    const stream = new FeedStream(scene.address.replace('127.0.0.1', 'localhost'), channel);
    streams.push(stream);
    return stream;
  };
  const refused = async (stream: FeedStream): Promise<void> => {
    expect(await stream.ended).to.equal('UNAVAILABLE');
    expect(stream.messages).to.have.length(0);
  };
  /** Ends a session, and expects a stream to deliver that. */
  const follows = async (stream: FeedStream, shown?: Pair): Promise<void> => {
    const client = tls.client(scene.address, shown);
    const { sessionId, refreshToken } = await client.issue('ann');
    await client.logout({ refreshToken });
    await stream.pong();
    expect(stream.said).to.include(`s${sessionId.replaceAll('-', '')}`);
  };

  it('is for those who believe the authority of the server, and not in plain text', async () => {
    await start();
    const stream = watch();
    await stream.pong();
    await follows(stream);
    await refused(watch(undefined, tls.foreign.cert));
    const plain = new FeedStream(scene.address);
    streams.push(plain);
    await refused(plain);
  });

  it('with a CA for clients is for those with a certificate of it alone', async () => {
    await start({ asksClients: true });
    const mine = tls.authority.issue();
    const stream = watch(mine);
    await stream.pong();
    await follows(stream, mine);
    await refused(watch());
    await refused(watch(tls.foreign.issue()));
    await refused(watch(tls.authority.issue({ endsInMs: -1_000 })));
  });

  it('goes on while the certificate of the server is replaced, and new streams come by the new one', async () => {
    await start({ asksClients: true });
    const mine = tls.authority.issue();
    const stream = watch(mine);
    await stream.pong();
    tls.replaceServer(tls.authority.issue({ names: LOCAL }));
    certificates.refresh();
    await follows(stream, mine);
    const later = watch(mine);
    await later.pong();
    await follows(later, mine);
  });
});
