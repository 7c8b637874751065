// Tests of LOG_FORMAT: text for a person at a terminal in `dev` alone, JSON everywhere else, unless it is set.

import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { JWT_SECRET, launch } from '../support/processes.js';
import { until } from '../support/waiting.js';

const GREEN_INFO = '\u001b[32mINFO \u001b[0m';
const SOON_MS = 30_000;
const PORTS = { GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0', METRICS_ADDRESS: '127.0.0.1:0' };

describe('the format of the log', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  /** What a command has printed once it is ready. */
  async function printed(
    command: string,
    env: Readonly<Record<string, string>>,
    { isOnTerminal = false, ready = /service listening/ } = {},
  ): Promise<string> {
    const all = { ...PORTS, JWT_SECRET, DATA_DIR: await stage.folder(), ...env };
    const { child, stdout, stderr } = launch([command], { env: all, isOnTerminal });
    stage.owns(() => child.kill('SIGKILL'));
    await until(() => ready.test(stdout() + stderr()), SOON_MS);
    return stdout() + stderr();
  }

  it('is text, in few lines with colours, in dev on a terminal', async () => {
    const output = await printed('dev', {}, { isOnTerminal: true, ready: /Look around/ });
    const lines = output.split('\r\n').filter((line) => line.includes('listening'));
    expect(lines).to.have.length.within(2, 4);
    for (const line of lines)
      expect(line)
        .to.match(/^\d\d:\d\d:\d\d .*listening /)
        .and.to.include(GREEN_INFO);
    expect(output).not.to.match(/^\{/m);
  });

  it('has no colours where NO_COLOR is set, or without a terminal', async () => {
    const quiet = await printed('dev', { NO_COLOR: '1' }, { isOnTerminal: true, ready: /Look around/ });
    expect(quiet).to.match(/^\d\d:\d\d:\d\d INFO {2}service listening /m);
    expect(await printed('serve', { LOG_FORMAT: 'pretty' })).to.match(/^\d\d:\d\d:\d\d INFO {2}service listening /m);
  });

  it('is JSON without a terminal, and in serve also on one', async () => {
    expect(await printed('dev', {}, { ready: /Look around/ })).to.match(/^\{"level":"info".*"service listening"\}$/m);
    const served = await printed('serve', {}, { isOnTerminal: true });
    expect(served.replaceAll('\r', '')).to.match(/^\{"level":"info".*"service listening"\}$/m);
  });

  it('is that of the reason why dev cannot start, too', async () => {
    const output = await printed('dev', { LOG_FORMAT: 'pretty', ACCESS_TTL: 'never' }, { ready: /cannot start.*\n/ });
    expect(output).to.match(/^\d\d:\d\d:\d\d ERROR dev cannot start detail=".*ACCESS_TTL/m);
  });
});
