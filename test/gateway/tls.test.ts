// Tests that the gateway calls its service over TLS, with new files for new connections, and says what is wrong.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { createGateway } from '../../gateway/server.js';
import { createLogger } from '../../src/platform/log.js';
import { Certificates } from '../../src/platform/tls/certificates.js';
import type { TlsFiles } from '../../src/platform/tls/pem.js';
import type { ClientTls } from '../../src/settings/tls.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { RecordingLog } from '../support/recording-log.js';
import { LOCAL, TlsScene } from '../support/tls-scene.js';
import { until } from '../support/waiting.js';
import { settingsFor } from './running-gateway.js';

describe('the gateway before a service with TLS', () => {
  let tls: TlsScene;
  let ends: (() => unknown)[];
  beforeEach(() => {
    tls = new TlsScene();
    ends = [() => tls.clear()];
  });
  afterEach(async () => {
    for (const end of ends.reverse()) await end();
  });

  const portOf = ({ address }: GrpcScene): number => Number(address.split(':').pop());
  /** @param files undefined: in plain text */
  const serve = async (
    files: TlsFiles | undefined,
  ): Promise<{ scene: GrpcScene; certificates: Certificates | undefined }> => {
    const certificates = files && new Certificates(files, new RecordingLog(), { lookEveryMs: 60_000 });
    const scene = await GrpcScene.start({ certificates });
    ends.push(
      () => certificates?.close(),
      () => scene.stop(),
    );
    return { scene, certificates };
  };
  /** @param tlsOf undefined: in plain text */
  const startGateway = async (port: number, tlsOf?: Partial<TlsFiles> & Partial<Pick<ClientTls, 'name'>>) => {
    const log: string[] = [];
    const logger = createLogger({
      level: 'info',
      name: 'gateway',
      destination: { write: (line) => void log.push(line) },
    });
    const { name, ...files } = tlsOf ?? {};
    const gateway = createGateway(
      {
        ...settingsFor({ host: '127.0.0.1', port }),
        authServiceTls: tlsOf && { name, files: { cert: undefined, key: undefined, ca: undefined, ...files } },
      },
      logger,
    );
    const { port: httpPort } = await gateway.listen();
    ends.push(() => gateway.close());
    const ask = async (path: string, body?: unknown): Promise<number> => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, body === undefined ? {} : init);
      await response.arrayBuffer();
      return response.status;
    };
    return { ask, log };
  };
  const serving = async (gateway: { ask(path: string): Promise<number> }): Promise<void> => {
    await until(async () => (await gateway.ask('/readyz')) === 200);
  };
  /** What the log says of a refresh that got 503. */
  const words = async (gateway: Awaited<ReturnType<typeof startGateway>>): Promise<string> => {
    expect(await gateway.ask('/api/auth/token/refresh/', { refresh: 'x' })).to.equal(503);
    const line = () => gateway.log.find((each) => each.includes('"status":503'));
    // A line is written after its answer.
    await until(() => line() !== undefined);
    return String(JSON.parse(line() ?? '').grpcDetails);
  };

  it('refreshes and logs out over mTLS', async () => {
    const { scene } = await serve(tls.files({ asksClients: true }));
    const { ask } = await startGateway(portOf(scene), { ca: tls.ca, ...tls.pair('gateway') });
    const { refreshToken } = await tls.client(scene.address, tls.authority.issue()).issue();
    expect(await ask('/api/auth/token/refresh/', { refresh: refreshToken })).to.equal(200);
    expect(await ask('/api/auth/logout/', { refresh: refreshToken })).to.equal(200);
  });

  it('answers 503 and says what is wrong with the certificate of the service', async () => {
    const { scene } = await serve(tls.files());
    expect(await words(await startGateway(portOf(scene), { ca: tls.foreignCa }))).to.include(
      'comes from an unknown CA',
    );
    expect(await words(await startGateway(portOf(scene), {}))).to.include('comes from an unknown CA');
    const name = await startGateway(portOf(scene), { ca: tls.ca, name: 'auth.internal' });
    expect(await words(name)).to.include('is for another name');
    tls.replaceServer(tls.authority.issue({ names: LOCAL, endsInMs: -1_000 }));
    const { scene: expired } = await serve(tls.files());
    expect(await words(await startGateway(portOf(expired), { ca: tls.ca }))).to.include('has expired');
  });

  it('expects the name in the settings, where that is not the host of the address', async () => {
    tls.replaceServer(tls.authority.issue({ names: ['DNS:auth.internal'] }));
    const { scene } = await serve(tls.files());
    await serving(await startGateway(portOf(scene), { ca: tls.ca, name: 'auth.internal' }));
    expect(await words(await startGateway(portOf(scene), { ca: tls.ca }))).to.include('is for another name');
  });

  it('answers 503 and says that one side alone speaks TLS', async () => {
    const { scene } = await serve(tls.files());
    expect(await words(await startGateway(portOf(scene)))).to.include('it may speak TLS there');
    const { scene: plain } = await serve(undefined);
    expect(await words(await startGateway(portOf(plain), { ca: tls.ca }))).to.include('it does not speak TLS there');
  });

  it('answers 503 and says what the service wants of its own certificate', async () => {
    const { scene } = await serve(tls.files({ asksClients: true }));
    const none = await startGateway(portOf(scene), { ca: tls.ca });
    expect(await words(none)).to.include('it requires a client certificate');
    const foreign = await startGateway(portOf(scene), { ca: tls.ca, ...tls.pair('foreign', {}, tls.foreign) });
    expect(await words(foreign)).to.include('it may refuse our client certificate');
  });

  it('refuses to start with files that it cannot use, and names them', async () => {
    const failure = await startGateway(1, { ca: `${tls.folder}/nowhere.crt` }).catch((error: Error) => error.message);
    expect(failure).to.include('nowhere.crt');
  });

  it('loses no call while all certificates are replaced, and has the new ones for its next connection', async () => {
    const { scene, certificates } = await serve(tls.files({ asksClients: true }));
    const { proxy, cut } = await cuttable(portOf(scene));
    ends.push(() => proxy.close(), cut);
    const own = tls.pair('own');
    const gatewayCa = `${tls.folder}/gateway-ca.crt`;
    writeFileSync(gatewayCa, tls.authority.cert);
    const gateway = await startGateway((proxy.address() as AddressInfo).port, { ca: gatewayCa, ...own });
    await serving(gateway);
    // From here on new connections need everything new, on both sides.
    const next = { own: tls.foreign.issue(), server: tls.foreign.issue({ names: LOCAL }) };
    writeFileSync(own.cert, next.own.cert);
    writeFileSync(own.key, next.own.key);
    writeFileSync(gatewayCa, tls.foreign.cert);
    writeFileSync(tls.ca, tls.foreign.cert);
    tls.replaceServer(next.server);
    certificates?.refresh();
    const statuses = await Promise.all([...Array(20).keys()].map(() => gateway.ask('/readyz')));
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
    cut();
    await serving(gateway);
    expect(gateway.log.join('')).to.include('new TLS certificates in use');
  });
});

/** A way to a port whose connections can be cut. */
async function cuttable(port: number): Promise<{ readonly proxy: Server; cut(): void }> {
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => other.destroy());
      one.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    proxy,
    cut: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}
