// A service that npm has started, which is not its own process: how it starts, and that it ends where npm is ended.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ENV } from './fresh-checkout.js';

/** How a command ends: its own process by SIGTERM, or it with all its children by SIGINT, as by Ctrl-C in a terminal. */
type Ending = 'process' | 'terminal';

/**
 * Runs a command that starts `latchkey dev`, ends the command once the service is ready, and waits for both.
 * @returns the messages of the log
 */
export async function startedAndEnded(
  [command = '', ...args]: readonly string[],
  cwd: string,
  ending: Ending,
): Promise<string[]> {
  const addresses = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', METRICS_ADDRESS: '127.0.0.1:0' };
  const npm = spawn(command, args, {
    cwd,
    env: { ...ENV, ...addresses },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: ending === 'terminal',
  });
  const closed = once(npm, 'close');
  const lines: { msg: string; pid: number }[] = [];
  npm.stdout.on('data', (text: Buffer) => {
    if (!text.includes('Latchkey is ready')) return;
    if (ending === 'terminal' && npm.pid !== undefined) process.kill(-npm.pid, 'SIGINT');
    else npm.kill('SIGTERM');
  });
  try {
    // The pipe is closed once the last process that has it is gone.
    for await (const line of createInterface({ input: npm.stderr })) {
      if (line.startsWith('{')) lines.push(JSON.parse(line));
    }
    await closed;
    return lines.map(({ msg }) => msg);
  } finally {
    const pid = lines[0]?.pid;
    if (pid !== undefined && existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
  }
}
