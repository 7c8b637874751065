// Tests that the gateway stops gracefully, within bounds, and leaves nothing open.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { createGateway } from '../../gateway/server.js';
import { formatAddress } from '../../src/platform/env.js';
import { createLogger } from '../../src/platform/log.js';
import { BUSY_MS } from '../support/busy.js';
import { ScriptedAuthService } from '../support/scripted-auth-service.js';
import { elapse, until } from '../support/waiting.js';
import { LOGOUT, REFRESH, RunningGateway, requestBegun, settingsFor } from './running-gateway.js';

const elapsed = async (what: Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await what;
  return performance.now() - begun;
};

describe('gateway: stopping', function () {
  this.timeout(120_000);

  it('answers the requests under way, takes no new ones, and closes kept connections', async () => {
    const running = await RunningGateway.start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let answerCall = (): void => {};
    running.service.script = () => new Promise<void>((resolve) => (answerCall = resolve));
    const sent = httpRequest(`${running.url}${LOGOUT}`, {
      method: 'POST',
      agent,
      headers: { authorization: 'Bearer a' },
    });
    sent.end();
    await until(() => running.service.calls.length > 0);

    let isStopped = false;
    const stopped = elapsed(running.gateway.close()).finally(() => (isStopped = true));
    const isRefused = () =>
      running.ask('/healthz').then(
        () => false,
        () => true,
      );
    await until(isRefused);
    expect(isStopped).to.equal(false);
    answerCall();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).to.equal(200);
    expect(answer.headers.connection).to.equal('close');
    expect(await stopped).to.be.below(1_500);
    agent.destroy();
    running.service.stop();
  });

  it('still serves a request that comes with the signal, and asks for the end of the connection', async () => {
    // A busy machine may take a while until both requests are sent.
    const running = await RunningGateway.start({ limits: { quietMs: 1_000 } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<IncomingMessage> => {
      const sent = httpRequest(`${running.url}/nowhere`, { agent }).end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      await once(answer.resume(), 'end');
      return answer;
    };
    expect((await ask()).headers.connection).to.equal('keep-alive');
    const stopped = running.gateway.close();
    // The first on the connection that was kept, the second on a new one.
    for (const answer of [await ask(), await ask()]) {
      expect([answer.statusCode, answer.headers.connection]).to.deep.equal([404, 'close']);
    }
    await stopped;
    agent.destroy();
    running.service.stop();
  });

  it('is not held up by connections without a request, whether kept or opened in advance', async () => {
    const running = await RunningGateway.start();
    await running.post(REFRESH, { refresh: 'r' });
    const socket = await running.connect();
    const closed = once(socket, 'close');
    expect(await elapsed(running.gateway.close())).to.be.below(1_000 + BUSY_MS);
    await closed;
    running.service.stop();
  });

  it('is not held up by answers that waited behind another when their client went away', async () => {
    const running = await RunningGateway.start();
    running.service.script = () => elapse(200, 'a slow call');
    const socket = await running.connect();
    const head = `POST ${LOGOUT} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a\r\nContent-Length: 0\r\n\r\n`;
    const before = running.log.length;
    socket.on('error', () => {}).write(head.repeat(3));
    await until(() => running.service.calls.length === 3);
    socket.resetAndDestroy();
    expect(await elapsed(running.gateway.close())).to.be.below(1_000 + BUSY_MS);
    // Each has its line in the log, too.
    expect(running.log.slice(before).filter((line) => line.includes('"aborted":true'))).to.have.length(3);
    running.service.stop();
  });

  it('cuts off at its limit what does not end', async () => {
    const running = await RunningGateway.start({ limits: { stopMs: 300 } });
    const socket = await running.connect();
    socket.on('error', () => {});
    const begun = requestBegun();
    socket.write(`POST ${REFRESH} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`);
    await begun;
    expect(await elapsed(running.gateway.close())).to.be.within(250, 1_500);
    expect(running.log.join('')).to.contain('stopping although requests are under way');
    running.service.stop();
  });

  it('closes its connection to the service', async () => {
    const service = await new ScriptedAuthService().start();
    const sockets = new Set<Socket>();
    const relay = createServer((socket) => {
      sockets.add(socket);
      const onward = connect(service.address.port, service.address.host);
      socket.on('close', () => sockets.delete(socket)).on('error', () => onward.destroy());
      socket
        .pipe(onward)
        .on('error', () => socket.destroy())
        .pipe(socket);
    });
    await once(relay.listen(0, '127.0.0.1'), 'listening');
    const { port } = relay.address() as AddressInfo;
    const gateway = createGateway(
      settingsFor({ host: '127.0.0.1', port }, { HTTP_ADDRESS: 'localhost:0' }),
      createLogger({ level: 'silent', name: 'gateway' }),
    );
    const address = await gateway.listen();
    expect((await fetch(`http://${formatAddress(address)}/readyz`)).status).to.equal(200);
    expect(sockets.size).to.equal(1);
    await gateway.close();
    await until(() => sockets.size === 0, 30_000);
    relay.close();
    service.stop();
  });

  it('may get the signal twice', async () => {
    const running = await RunningGateway.start();
    await Promise.all([running.gateway.close(), running.gateway.close()]);
    await running.stop();
  });

  it('reports a port that is taken', async () => {
    const running = await RunningGateway.start();
    const settings = settingsFor(running.service.address, { HTTP_ADDRESS: formatAddress(running.address) });
    const second = createGateway(settings, createLogger({ level: 'silent', name: 'gateway' }));
    const error = await second.listen().then(
      () => undefined,
      (reason: NodeJS.ErrnoException) => reason,
    );
    expect(error?.code).to.equal('ADDRESS_UNUSABLE');
    expect(error?.message).to.match(/^HTTP_ADDRESS: cannot listen on .* \(EADDRINUSE\)$/);
    await second.close();
    await running.stop();
  });

  it('leaves nothing open that would keep the process', async () => {
    const service = await RunningGateway.start();
    const script = `
      const { createGateway } = await import(process.argv[1]);
      const { readGatewaySettings } = await import(process.argv[2]);
      const { createLogger } = await import(process.argv[3]);
      const { Environment } = await import(process.argv[4]);
      const settings = readGatewaySettings(new Environment({
        HTTP_ADDRESS: '127.0.0.1:0',
        AUTH_SERVICE_ADDRESS: process.argv[5],
      }));
      const gateway = createGateway(settings, createLogger({ level: 'silent', name: 'gateway' }));
      const { port } = await gateway.listen();
      const answer = await fetch('http://127.0.0.1:' + port + '/readyz');
      process.stdout.write(answer.status + ' ');
      await gateway.close();
      process.on('exit', () => process.stdout.write('ended by itself'));
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 2000).unref();
    `;
    const modules = [
      '../../gateway/server.js',
      '../../gateway/config.js',
      '../../src/platform/log.js',
      '../../src/platform/env.js',
    ];
    const child = spawn(process.execPath, [
      ...['--input-type=module', '-e', script],
      ...modules.map((module) => new URL(module, import.meta.url).href),
      formatAddress(service.service.address),
    ]);
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    await once(child, 'close');
    expect(printed).to.equal('200 ended by itself');
    await service.stop();
  });
});
