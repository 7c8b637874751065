// Proof that all that a process prints goes through its log, whatever code prints it.

import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { foreignLines, isLogLine } from '../support/process-output.js';
import { ISSUER_TOKEN, JWT_SECRET, runCommand, type Started, start, startServe } from '../support/processes.js';
import { until } from '../support/waiting.js';
import { CREW_MS, Crew } from '../workers/crew.js';

const PRINTING = new URL('../support/printing.js', import.meta.url).href;
const SECRET = 'open-sesame';
const READY = { serve: 'service listening', gateway: 'gateway listening', dev: 'gateway listening' } as const;
const FROM_LIBRARIES = 'a library has printed something';

describe('what is printed', function () {
  this.timeout(2 * CREW_MS);
  const stage = new Stage();
  afterEach(() => stage.clear());

  async function printing(command: keyof typeof READY, what: string, level = 'debug'): Promise<Started> {
    const addresses = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', AUTH_SERVICE_ADDRESS: '127.0.0.1:1' };
    const own = command === 'gateway' ? {} : { DATA_DIR: await stage.folder(), JWT_SECRET, ISSUER_TOKEN };
    const env = { ...addresses, ...own, PRINT: what, LOG_LEVEL: level };
    const process = await start(command, READY[command], { env, preloads: [PRINTING] });
    stage.owns(() => process.kill());
    // Before that, a signal ends it at once.
    if (command === 'dev') await until(() => process.output().includes('Latchkey is ready'));
    return process;
  }

  for (const command of ['serve', 'gateway', 'dev'] as const) {
    it(`by any code in ${command} is in the log, without values, in few lines`, async () => {
      const process = await printing(command, 'print');
      process.child.kill('SIGUSR2');
      await until(() => process.lines().some(({ msg }) => msg === 'a warning of Node'));
      expect(await process.stop()).to.equal(0);
      const lines = process.lines();
      const printed = lines.filter(({ msg }) => String(msg).startsWith(FROM_LIBRARIES));
      expect(printed.map(({ detail }) => detail)).to.include.members(['a value', 'a stream']);
      expect(lines.find(({ warning }) => warning === 'DeprecationWarning')).to.include({
        code: 'OLD001',
        level: 'warn',
      });
      expect(process.output()).to.not.include(SECRET);
      expect(printed.filter(({ err }) => err !== undefined)).to.have.length(1);
      expect(printed.filter(({ more }) => more === 999)).to.have.length(1);
      // Each kind once and its count once; and there are no more kinds than that.
      expect(printed.length).to.be.within(10, 2 * 33 + 2);
    });
  }

  for (const [what, origin, message] of [
    ['throw', 'uncaughtException', 'nothing catches this'],
    ['reject', 'unhandledRejection', 'nothing takes this'],
  ] as const) {
    it(`ends with one line and code 1 after an error that nothing takes (${what}), at any level of the log`, async () => {
      const { child, lines, output } = await startServe({
        env: { DATA_DIR: await stage.folder(), JWT_SECRET, PRINT: what },
        preloads: [PRINTING],
      });
      const closed = once(child, 'close');
      child.kill('SIGUSR2');
      expect(await closed).to.deep.equal([1, null]);
      const last = lines().at(-1);
      expect(last).to.include({ level: 'error', origin });
      expect(last?.['err']).to.include({ message });
      expect(output().trimEnd().split('\n').every(isLogLine)).to.equal(true);
    });
  }

  it('by a worker that has no log yet is a line of the log, too', async () => {
    const env = { DATA_DIR: await stage.folder(), PRINT: 'early' };
    const crew = await Crew.start({ env, preloads: [PRINTING] });
    stage.owns(() => crew.clear());
    await until(() => crew.said(FROM_LIBRARIES).length === 2, CREW_MS);
    expect(crew.said(FROM_LIBRARIES).map(({ detail }) => detail)).to.deep.equal(['early', 'early']);
    expect(crew.process.output()).to.not.include(SECRET);
  });

  describe('of metadata with characters that gRPC does not allow', () => {
    /** Calls with some headers, byte by byte. @returns status and message */
    async function call(address: string, path: string, headers: Record<string, string>): Promise<[unknown, string]> {
      const session = connectHttp2(`http://${address}`);
      try {
        const fixed = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
        const stream = session.request({ ...fixed, ...headers });
        let found: Record<string, unknown> = {};
        stream.on('response', (each) => {
          found = { ...found, ...each };
        });
        stream.on('trailers', (each) => {
          found = { ...found, ...each };
        });
        stream.resume();
        stream.end(Buffer.alloc(5));
        await once(stream, 'close');
        return [found['grpc-status'], decodeURIComponent(String(found['grpc-message'] ?? ''))];
      } finally {
        session.destroy();
      }
    }

    let issued: [unknown, string];
    let checked: [unknown, string][];
    let output: string;
    let refreshToken: string;
    before(async () => {
      const node = await stage.serve(await stage.folder(), { LOG_LEVEL: 'info' });
      const { address } = node.process;
      ({ refreshToken } = await node.client.issue());
      const authorization = `Bearer ${ISSUER_TOKEN}\u00a0`;
      issued = await call(address, '/auth.v1.IssuerService/IssueToken', { authorization });
      const path = '/auth.v1.AuthService/ValidateToken';
      await call(address, path, { authorization: `Bearer ${refreshToken}\u00a0` });
      const headers = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`a!${n}`, 'v']));
      checked = [];
      for (let n = 0; n < 10; n++) checked.push(await call(address, '/grpc.health.v1.Health/Check', headers));
      expect(await node.process.stop()).to.equal(0);
      output = node.process.output();
    });

    it('holds no value, and the issuer gets a clear error', () => {
      const [code, message] = issued;
      expect(code).to.equal('16');
      expect(message).to.include('printable ASCII').and.include('non-breaking space');
      expect(output).to.not.include(ISSUER_TOKEN).and.not.include(refreshToken);
    });

    it('does not fill the log: a thousand such headers are no line', () => {
      expect(checked.map(([code]) => code)).to.deep.equal(Array(10).fill('0'));
      expect(output).to.not.include('a!');
    });
  });

  it('by tracing that the environment asks for is nothing: variables that show secrets have no effect', async () => {
    const redis = await stage.redis('--requirepass', 'sesame');
    const tracing = { DEBUG: '*', GRPC_TRACE: 'all', GRPC_VERBOSITY: 'DEBUG' };
    const node = await stage.serve(redis, { ...tracing, LOG_LEVEL: 'debug' });
    const pair = await node.client.issue();
    expect(await node.client.verdict(pair.accessToken)).to.equal('active');
    expect(await node.process.stop()).to.equal(0);
    expect(node.process.lines().find(({ variables }) => variables !== undefined)?.['variables']).to.deep.equal(
      Object.keys(tracing),
    );
    expect(node.process.output()).to.not.include('sesame').and.not.include(ISSUER_TOKEN);
    expect(node.process.lines().length).to.be.below(30);
  });

  for (const [command, variable] of [
    ['serve', 'GRPC_ADDRESS'],
    ['serve', 'ISSUER_ADDRESS'],
    ['dev', 'GRPC_ADDRESS'],
    ['dev', 'HTTP_ADDRESS'],
    ['gateway', 'HTTP_ADDRESS'],
  ] as const) {
    it(`of a port in use is one line that names ${variable} (${command})`, async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      stage.owns(() => other.close());
      const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
      const free = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', AUTH_SERVICE_ADDRESS: '127.0.0.1:1' };
      const own = { DATA_DIR: await stage.folder(), JWT_SECRET, ISSUER_TOKEN };
      const env = { ...free, ...(command === 'gateway' ? {} : own), [variable]: address, LOG_LEVEL: 'error' };
      const { code, stdout, stderr } = await runCommand([command], env);
      expect([code, stdout]).to.deep.equal([1, '']);
      expect(stderr.trimEnd().split('\n')).to.have.length(1);
      const detail = `${variable}: cannot listen on ${address}: another process listens there`;
      expect(JSON.parse(stderr)).to.include({ level: 'error', code: 'ADDRESS_UNUSABLE' });
      expect((JSON.parse(stderr) as { detail: string }).detail)
        .to.include(detail)
        .and.include('set another address');
    });
  }

  it('is found by the check of both streams where no log wrote it', () => {
    const ended = { exitCode: 0, signalCode: null };
    const line = JSON.stringify({ level: 'info', time: 't', pid: 1, hostname: 'h', name: 'latchkey', msg: 'm' });
    expect(foreignLines('serve', `${line}\n`, `${line}\n`, ended)).to.deep.equal([]);
    expect(foreignLines('serve', `${line}\nE odd\n`, '', ended)).to.deep.equal(['E odd']);
    expect(foreignLines('serve', '', 'half', ended)).to.deep.equal(['half']);
    expect(foreignLines('serve', '', 'half', { exitCode: null, signalCode: null })).to.deep.equal([]);
    expect(foreignLines('serve', '', 'latchkey: x\n', ended)).to.deep.equal(['latchkey: x']);
    expect(foreignLines('serve', '', 'latchkey: x\n  y\n', { ...ended, exitCode: 2 })).to.deep.equal([]);
    expect(foreignLines('dev', 'ready\n', '(node:1) Warning\n', ended)).to.deep.equal(['(node:1) Warning']);
    expect(foreignLines('keys', 'a key\n', 'latchkey: x\n  y\n[WARN] z\n', ended)).to.deep.equal(['[WARN] z']);
  });
});
