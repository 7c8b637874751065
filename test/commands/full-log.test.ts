// Owns the proof that a log that cannot be written takes nothing else down: the service answers, and stops when told.

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TestClient } from '../support/auth-client.js';
import { ISSUER_TOKEN, JWT_SECRET } from '../support/processes.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Without a log the process cannot tell which port it was given. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listens(child: ChildProcess, port: number): Promise<void> {
  for (const untilMs = Date.now() + 8_000; Date.now() < untilMs && child.exitCode === null; await delay(20)) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    const there = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'close')]).catch(() => {});
    socket.destroy();
    if (there === true) return;
  }
  throw new Error(`nobody listens, exit code ${child.exitCode}`);
}

describe('a log that cannot be written', () => {
  let folder: string;
  let child: ChildProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-full-log-'));
  });
  afterEach(() => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function begin(command: string, stdio: StdioOptions, settings: Record<string, string>): Promise<ChildProcess> {
    const env = { PATH: process.env['PATH'], DATA_DIR: folder, JWT_SECRET, ISSUER_TOKEN, ...settings };
    child = spawn(process.execPath, [MAIN, command], { env, stdio });
    return child;
  }

  /** Ends it in order. @returns the exit code; null if it had to be killed */
  async function stop(process: ChildProcess): Promise<unknown> {
    const closed = once(process, 'close');
    process.kill('SIGTERM');
    const late = setTimeout(() => process.kill('SIGKILL'), 4_000);
    const [code] = await closed;
    clearTimeout(late);
    return code;
  }

  async function answers(port: number): Promise<void> {
    const client = new TestClient(`127.0.0.1:${port}`);
    try {
      for (let round = 0; round < 20; round += 1) {
        const { accessToken, refreshToken } = await client.issue();
        expect(await client.verdict(accessToken)).to.equal('active');
        await client.logout({ refreshToken });
      }
    } finally {
      client.close();
    }
  }

  for (const command of ['serve', 'dev']) {
    it(`does not take \`${command}\` down: it answers, says so once, and stops when told`, async () => {
      const full = openSync('/dev/full', 'w');
      const port = await freePort();
      const settings = { GRPC_ADDRESS: `127.0.0.1:${port}`, HTTP_ADDRESS: '127.0.0.1:0', LOG_LEVEL: 'trace' };
      // Of `dev` the log is standard error.
      const served = await begin(
        command,
        command === 'dev' ? ['ignore', 'pipe', full] : ['ignore', full, 'pipe'],
        settings,
      );
      closeSync(full);
      let told = '';
      served.stderr?.on('data', (chunk) => {
        told += chunk;
      });
      await listens(served, port);
      await answers(port);
      expect(await stop(served)).to.equal(0);
      if (command === 'serve') expect(told).to.match(/^latchkey: [^\n]*ENOSPC[^\n]*\n$/);
    });
  }

  it('does not take the gateway down', async () => {
    const full = openSync('/dev/full', 'w');
    const port = await freePort();
    const served = await begin('gateway', ['ignore', full, 'ignore'], { HTTP_ADDRESS: `127.0.0.1:${port}` });
    closeSync(full);
    await listens(served, port);
    for (let round = 0; round < 5; round += 1) {
      expect((await fetch(`http://127.0.0.1:${port}/nowhere`)).status).to.equal(404);
    }
    expect(await stop(served)).to.equal(0);
  });

  it('nor does one whose reader is gone, of both outputs', async () => {
    const port = await freePort();
    const served = await begin('serve', ['ignore', 'pipe', 'pipe'], { GRPC_ADDRESS: `127.0.0.1:${port}` });
    served.stdout?.destroy();
    served.stderr?.destroy();
    await listens(served, port);
    await answers(port);
    expect(await stop(served)).to.equal(0);
  });
});
