// Tests that a log that cannot be written breaks nothing else: the service answers calls, and stops on SIGTERM.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TestClient } from '../support/auth-client.js';
import { freePort } from '../support/free-ports.js';
import { isLogLine } from '../support/process-output.js';
import { ISSUER_TOKEN, JWT_SECRET, type Launched, type LaunchOptions, launch } from '../support/processes.js';
import { answerWithin, until } from '../support/waiting.js';

async function listens(child: ChildProcess, port: number): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`the process ended with the exit code ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    const there = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'close')]).catch(() => {});
    socket.destroy();
    return there === true;
  };
  await until(isThere, 30_000);
}

// Ports are chosen here: without a log the process cannot tell which one the system gave it.
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

  function begin(command: string, streams: Omit<LaunchOptions, 'env'>, settings: Record<string, string>): Launched {
    const env = { DATA_DIR: folder, JWT_SECRET, ISSUER_TOKEN, ...settings };
    const launched = launch([command], { env, ...streams });
    child = launched.child;
    return launched;
  }

  /** Ends it in order. @returns the exit code; null if it had to be killed */
  async function stop(process: ChildProcess): Promise<unknown> {
    const closed = once(process, 'close');
    process.kill('SIGTERM');
    if (!(await answerWithin(4_000, closed))) process.kill('SIGKILL');
    const [code] = await closed;
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
    it(`does not take \`${command}\` down: it answers, says so once, and stops on a signal`, async () => {
      const full = openSync('/dev/full', 'w');
      const port = await freePort();
      const settings = { GRPC_ADDRESS: `127.0.0.1:${port}`, HTTP_ADDRESS: '127.0.0.1:0', LOG_LEVEL: 'trace' };
      // Of `dev` the log is standard error.
      const streams = command === 'dev' ? { stderr: full } : { stdout: full };
      const served = begin(command, streams, settings);
      closeSync(full);
      await listens(served.child, port);
      await answers(port);
      expect(await stop(served.child)).to.equal(0);
      if (command === 'dev') return;
      const [line = '', ...more] = served.stderr().trimEnd().split('\n');
      expect(more).to.deep.equal([]);
      expect(isLogLine(line), line).to.equal(true);
      expect(JSON.parse(line)).to.include({ level: 'error', name: 'latchkey' });
      expect(line).to.include('ENOSPC').and.include('the log cannot be written: its lines are dropped');
    });
  }

  it('does not take the gateway down', async () => {
    const full = openSync('/dev/full', 'w');
    const port = await freePort();
    const { child: served } = begin('gateway', { stdout: full }, { HTTP_ADDRESS: `127.0.0.1:${port}` });
    closeSync(full);
    await listens(served, port);
    for (let round = 0; round < 5; round += 1) {
      expect((await fetch(`http://127.0.0.1:${port}/nowhere`)).status).to.equal(404);
    }
    expect(await stop(served)).to.equal(0);
  });

  it('nor does one whose reader is gone, of both outputs', async () => {
    const port = await freePort();
    const settings = { GRPC_ADDRESS: `127.0.0.1:${port}` };
    const { child: served } = begin('serve', { stdout: 'pipe', stderr: 'pipe' }, settings);
    served.stdout?.destroy();
    served.stderr?.destroy();
    await listens(served, port);
    await answers(port);
    expect(await stop(served)).to.equal(0);
  });
});
