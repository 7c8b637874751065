// Tests of TLS by real processes: what they refuse to start with, what they warn of, and calls by the command line.

import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { dev } from '../../src/commands/dev.js';
import { processIo } from '../../src/commands/print.js';
import { serve } from '../../src/commands/serve.js';
import { tokenIssue } from '../../src/commands/token.js';
import { Environment } from '../../src/platform/env.js';
import { createLogger } from '../../src/platform/log.js';
import { startService } from '../../src/service/start-service.js';
import { readServiceSettings } from '../../src/settings/service.js';
import { serveInProcess } from '../support/in-process.js';
import {
  ISSUER_TOKEN,
  JWT_SECRET,
  type Running,
  runCommand,
  start,
  startGateway,
  startServe,
} from '../support/processes.js';
import { startTlsRedis } from '../support/tls-redis.js';
import { LOCAL, TlsScene } from '../support/tls-scene.js';
import { until } from '../support/waiting.js';

type Env = Record<string, string>;

describe('latchkey with TLS', () => {
  let tls: TlsScene;
  let stops: (() => Promise<unknown>)[];
  beforeEach(() => {
    tls = new TlsScene();
    stops = [];
  });
  afterEach(async () => {
    await Promise.all(stops.map((stop) => stop()));
    tls.clear();
  });
  const kept = async <P extends Running>(starting: Promise<P>): Promise<P> => {
    const process = await starting;
    stops.push(() => process.kill());
    return process;
  };
  const base = (): Env => ({ DATA_DIR: join(tls.folder, 'data'), JWT_SECRET });
  const listener = (): Env => ({ GRPC_TLS_CERT: tls.server.cert, GRPC_TLS_KEY: tls.server.key });
  const asking = (): Env => ({ ...listener(), GRPC_TLS_CLIENT_CA: tls.ca });
  const caller = (names: readonly string[] = []): Env => {
    const { cert, key } = tls.pair('caller', { names });
    return { AUTH_SERVICE_TLS_CA: tls.ca, AUTH_SERVICE_TLS_CERT: cert, AUTH_SERVICE_TLS_KEY: key };
  };

  /** The words of a command's refusal. One of ours, so that the command line shows no stack. */
  const refusal = async (command: Promise<void>): Promise<string> => {
    const error: unknown = await command.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof Error) || !('code' in error)) throw new Error('it was not refused', { cause: error });
    return error.message;
  };

  it('refuses to listen in plain text where others are, and says the three ways out', async () => {
    for (const command of [serve, dev]) {
      const words = await refusal(command({ ...base(), GRPC_ADDRESS: '0.0.0.0:0' }));
      expect(words).to.include('GRPC_ADDRESS: found 0.0.0.0:0 without TLS');
      for (const way of ['GRPC_TLS_CERT', 'loopback', 'GRPC_INSECURE=true']) expect(words).to.include(way);
    }
  });

  it("warns once of what GRPC_INSECURE allows, and where the issuer's credential travels in clear", async () => {
    const open = { ...base(), ISSUER_TOKEN, GRPC_ADDRESS: '0.0.0.0:0', GRPC_INSECURE: 'true' };
    const warned = async (env: Env): Promise<string[]> => {
      const lines: string[] = [];
      const log = createLogger({
        name: 'test',
        level: 'warn',
        destination: { write: (line) => void lines.push(line) },
      });
      const service = await startService(readServiceSettings(new Environment(env), 'serve', Date.now()), log);
      await service.stop();
      return lines;
    };
    const [both = '', ...more] = await warned(open);
    expect(more).to.deep.equal([]);
    expect(both).to.include('plain text').and.include("so does the issuer's credential");
    const [apart = '', ...others] = await warned({ ...open, ISSUER_ADDRESS: '127.0.0.1:0' });
    expect(others).to.deep.equal([]);
    expect(apart).to.include('plain text').and.not.include('credential');
    expect(await warned({ ...open, ...listener() })).to.deep.equal([]);
  });

  it('refuses files that do not fit or are open to everybody, names them, and starts nothing', async () => {
    const other = tls.pair('other');
    const { code, stderr } = await runCommand(['serve'], { ...base(), ...listener(), GRPC_TLS_KEY: other.key });
    expect(code).to.equal(1);
    const { detail } = JSON.parse(stderr) as { detail: string };
    expect(detail).to.equal(`${other.key}: this is not the key of the certificate in ${tls.server.cert}`);
    chmodSync(tls.server.key, 0o644);
    expect(await refusal(serve({ ...base(), ...listener(), ISSUER_TOKEN }))).to.include(`chmod o= '${tls.server.key}'`);
  });

  it('issues and inspects tokens over mTLS, by credential and by name, and says what is wrong otherwise', async () => {
    const names = { ISSUER_CLIENT_NAMES: 'cli.internal' };
    const issuer = { ISSUER_ADDRESS: '127.0.0.1:0', ISSUER_TOKEN: '' };
    const served = await kept(serveInProcess({ ...base(), ...asking(), ...names, ...issuer }));
    const [auth, apart] = served
      .lines()
      .flatMap(({ addresses }) => (addresses as { port: number }[] | undefined) ?? []);
    // By name, and DATA_DIR, so that no credential of this folder is found.
    const where = {
      ...{ AUTH_SERVICE_ADDRESS: `localhost:${auth?.port}`, ISSUER_ADDRESS: `127.0.0.1:${apart?.port}` },
      DATA_DIR: tls.folder,
    };
    const issued = await runCommand(['token', 'issue', '--subject', 'x'], {
      ...where,
      ...caller(['DNS:cli.internal']),
    });
    expect(issued.stderr).to.equal('');
    const { access_token: token } = JSON.parse(issued.stdout);
    const inspected = await runCommand(['token', 'inspect', '-'], { ...where, ...caller() }, token);
    expect(JSON.parse(inspected.stdout).verdict).to.equal('active');
    const cases: [Env, string][] = [
      [caller(['DNS:other.internal']), 'UNAUTHENTICATED'],
      [{ AUTH_SERVICE_TLS_CA: tls.ca }, 'it requires a client certificate'],
      [{ ...caller(), AUTH_SERVICE_TLS_CA: tls.foreignCa }, 'its certificate comes from an unknown CA'],
      [{}, 'it may speak TLS there'],
      [{ AUTH_SERVICE_TLS_CA: join(tls.folder, 'nowhere.crt') }, 'nowhere.crt'],
    ];
    for (const [env, words] of cases) {
      expect(await refusal(tokenIssue(processIo({ ...where, ...env }), 'x', '{}'))).to.include(words);
    }
  });

  it('takes new certificates while it serves, on both ports', async () => {
    const served = await kept(startServe({ env: { ...base(), ...listener(), ISSUER_ADDRESS: '127.0.0.1:0' } }));
    const ports = served.lines().flatMap(({ addresses }) => (addresses as { port: number }[] | undefined) ?? []);
    const numbers = (): Promise<string[]> => Promise.all(ports.map(({ port }) => numberAt(port, tls.authority.cert)));
    const before = await numbers();
    tls.replaceServer(tls.authority.issue({ names: LOCAL }));
    await until(() => served.output().includes('new TLS certificates in use'));
    const after = await numbers();
    expect(before).to.have.length(2);
    expect(after.filter((number) => before.includes(number))).to.deep.equal([]);
    expect(new Set(after).size).to.equal(1);
  });

  it('starts dev, whose gateway and first login go over mTLS', async () => {
    const ports = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', DATA_DIR: join(tls.folder, 'dev') };
    const started = await kept(start('dev', 'gateway listening', { env: { ...ports, ...asking(), ...caller() } }));
    await until(() => started.output().includes('Look around'), 30_000);
    const http = /http:\/\/([\d.:]+)/.exec(started.output())?.[1];
    expect((await fetch(`http://${http}/readyz`)).status).to.equal(200);
    expect(started.output()).to.include(`grpcurl -cacert '${tls.ca}' -cert '`).and.not.include('-plaintext');
  });

  it('refuses dev whose own calls could not work, and says what is missing', async () => {
    const cases: [Env, string][] = [
      [listener(), 'AUTH_SERVICE_TLS_CA: found nothing'],
      [{ ...asking(), AUTH_SERVICE_TLS_CA: tls.ca }, 'AUTH_SERVICE_TLS_CERT and AUTH_SERVICE_TLS_KEY: found nothing'],
      [{ AUTH_SERVICE_TLS_CA: tls.ca }, 'GRPC_TLS_CERT and GRPC_TLS_KEY: found neither'],
    ];
    for (const [env, words] of cases) {
      expect(await refusal(dev({ DATA_DIR: join(tls.folder, 'dev'), ...env }))).to.include(words);
    }
  });

  it('checks certificates whatever the environment says to Node', async () => {
    const NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const served = await kept(serveInProcess({ ...base(), ...listener() }));
    const env = { AUTH_SERVICE_TLS_CA: tls.foreignCa, NODE_TLS_REJECT_UNAUTHORIZED };
    const gateway = await kept(startGateway(served.address, { env }));
    expect((await fetch(`http://${gateway.address}/readyz`)).status).to.equal(503);
    await until(() => gateway.output().includes('comes from an unknown CA'), 30_000);
    const { server, tlsPort } = await startTlsRedis(tls, 'no');
    stops.push(() => server.stop());
    const url = `rediss://127.0.0.1:${tlsPort}`;
    const store = { REDIS_URL: url, REDIS_TLS_CA: tls.foreignCa, JWT_SECRET, NODE_TLS_REJECT_UNAUTHORIZED };
    const without = await kept(startServe({ env: store }));
    expect(without.output()).to.include('Redis is not reachable').and.include('comes from an unknown CA');
  });
});

/** The number of the certificate that a new connection to a port is shown. */
async function numberAt(port: number, ca: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca, ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}
