// Tests that the gRPC server speaks TLS as it should: to whom, with what, and with new certificates while it runs.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { Certificates } from '../../src/platform/tls/certificates.js';
import { failureOfCall } from '../support/auth-client.js';
import type { Pair } from '../support/certificates.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { RecordingLog } from '../support/recording-log.js';
import { LOCAL, TlsScene } from '../support/tls-scene.js';

describe('the gRPC server with TLS', () => {
  let tls: TlsScene;
  let scene: GrpcScene;
  let certificates: Certificates;

  const start = async (options: { readonly asksClients?: boolean } = {}): Promise<void> => {
    certificates = new Certificates(tls.files(options), new RecordingLog(), { lookEveryMs: 60_000 });
    scene = await GrpcScene.start({ certificates });
  };
  beforeEach(() => {
    tls = new TlsScene();
  });
  afterEach(async () => {
    certificates.close();
    await scene.stop();
    tls.clear();
  });

  const shake = async (more: ConnectionOptions): Promise<TLSSocket> => {
    const port = Number(scene.address.split(':').pop());
    const socket = connect({ host: '127.0.0.1', port, ca: tls.authority.cert, ALPNProtocols: ['h2'], ...more });
    await once(socket, 'secureConnect');
    return socket;
  };
  /** The number of the certificate that a new connection is shown. */
  const shownNumber = async (mine: Partial<Pair> = {}): Promise<string> => {
    const socket = await shake(mine);
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  /** What lets a client take up a connection of before without a handshake in full. */
  const sessionOf = async ({ cert, key }: Pair): Promise<Buffer> => {
    const socket = await shake({ cert, key, maxVersion: 'TLSv1.2' });
    const session = socket.getSession();
    socket.destroy();
    if (!session) throw new Error('the server gave no session');
    return session;
  };
  const isResumed = async ({ cert, key }: Pair, session: Buffer): Promise<boolean> => {
    const socket = await shake({ cert, key, session, maxVersion: 'TLSv1.2' });
    const resumed = socket.isSessionReused();
    socket.on('error', () => {}).destroy();
    return resumed;
  };
  const refused = async (shown?: Pair): Promise<void> => {
    expect((await failureOfCall(tls.client(scene.address, shown).health())).code).to.equal('UNAVAILABLE');
  };

  it('serves every service to a client that trusts its authority, and none in plain text', async () => {
    await start();
    const client = tls.client(scene.address);
    const { accessToken } = await client.issue();
    expect(await client.verdict(accessToken)).to.equal('active');
    expect(await client.health()).to.equal('SERVING');
    expect((await failureOfCall(tls.plainClient(scene.address).health())).code).to.equal('UNAVAILABLE');
    const wary = tls.client(scene.address, undefined, tls.foreign.cert);
    expect((await failureOfCall(wary.health())).code).to.equal('UNAVAILABLE');
  });

  it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    await start();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await shake({ minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).to.equal(version);
      socket.destroy();
    }
    // Security level 0, or this side would not offer it.
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const failure = await shake(old).catch((error: NodeJS.ErrnoException) => error);
    expect(failure).to.include({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  it('without a CA for clients asks no client for a certificate, and takes any', async () => {
    await start();
    expect(await tls.client(scene.address, tls.foreign.issue()).health()).to.equal('SERVING');
  });

  it('with a CA for clients serves those whose certificate comes from it, and no others', async () => {
    await start({ asksClients: true });
    const { authority, foreign } = tls;
    expect(await tls.client(scene.address, authority.issue()).health()).to.equal('SERVING');
    await refused();
    await refused(foreign.issue());
    await refused(authority.issue({ endsInMs: -1_000 }));
    await refused(authority.issue({ startsInMs: 60_000 }));
    await refused(authority.issue({ purposes: ['server'] }));
    expect((await failureOfCall(tls.plainClient(scene.address).health())).code).to.equal('UNAVAILABLE');
    expect(await tls.client(scene.address, authority.issue()).health()).to.equal('SERVING');
  });

  it('shows a new certificate to new connections, while calls under way on old ones go on', async () => {
    await start({ asksClients: true });
    const old = tls.client(scene.address, tls.authority.issue());
    const { accessToken } = await old.issue();
    const before = await shownNumber(tls.authority.issue());
    scene.flowing = false;
    const underWay = old.verdict(accessToken);
    await scene.held();
    tls.replaceServer(tls.authority.issue({ names: LOCAL }));
    certificates.refresh();
    expect(await shownNumber(tls.authority.issue())).to.not.equal(before);
    scene.flowing = true;
    expect(await underWay).to.equal('active');
    expect(await old.verdict(accessToken)).to.equal('active');
    expect(await tls.client(scene.address, tls.authority.issue()).verdict(accessToken)).to.equal('active');
  });

  it('refuses no client while its files are broken', async () => {
    await start();
    const before = await shownNumber();
    writeFileSync(tls.server.cert, tls.authority.issue({ names: LOCAL }).cert);
    certificates.refresh();
    expect(await shownNumber()).to.equal(before);
    expect(await tls.client(scene.address).health()).to.equal('SERVING');
  });

  it('asks clients for certificates of another authority once the file says so', async () => {
    await start({ asksClients: true });
    const mine = tls.authority.issue();
    const session = await sessionOf(mine);
    expect(await isResumed(mine, session)).to.equal(true);
    writeFileSync(tls.ca, tls.foreign.cert);
    certificates.refresh();
    await refused(mine);
    // Nor by a session of before, which would not be judged again.
    expect(await isResumed(mine, session).catch(() => 'refused')).to.equal('refused');
    expect(await tls.client(scene.address, tls.foreign.issue()).health()).to.equal('SERVING');
  });

  it('lives on when clients talk nonsense, or leave in the middle of the handshake', async () => {
    await start({ asksClients: true });
    const port = Number(scene.address.split(':').pop());
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01\x02\x00\x01']) {
      const socket = connectPlain(port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      socket.end(bytes, 'latin1');
      socket.resume();
      await once(socket, 'close');
    }
    expect(await tls.client(scene.address, tls.authority.issue()).health()).to.equal('SERVING');
  });
});

describe('the gRPC server in plain text', () => {
  it('answers no client that speaks TLS', async () => {
    const tls = new TlsScene();
    const scene = await GrpcScene.start();
    try {
      expect((await failureOfCall(tls.client(scene.address).health())).code).to.equal('UNAVAILABLE');
      expect(await scene.client.health()).to.equal('SERVING');
    } finally {
      await scene.stop();
      tls.clear();
    }
  });
});
