// Tests of how a pool bears with workers that are late, crash, cannot serve or do not end.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { BackOff } from '../../src/workers/back-off.js';
import { Stage } from '../e2e/stage.js';
import { until } from '../support/waiting.js';
import type { Conduct } from './program.js';

const PROGRAM = fileURLToPath(new URL('./program.js', import.meta.url));
/** So few open files that a test can take them all. */
const FEW = 'ulimit -n 128; exec "$0" "$@"';
const LIMIT_MS = 30_000;
/** Enough for a small program on a machine that is busy. */
const START_MS = 6_000;

/** The first worker of a primary, as the system knows it. */
const firstChildOf = ({ pid }: { readonly pid?: number | undefined }): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]);

describe('a pool of workers', function () {
  this.timeout(2 * LIMIT_MS);
  const stage = new Stage();
  afterEach(() => stage.clear());

  async function pool(conduct: Conduct, startMs = START_MS, stopMs = 5_000) {
    const file = join(await stage.folder(), 'conduct');
    const setConduct = (now: Conduct) => writeFileSync(file, now);
    setConduct(conduct);
    const child: ChildProcess = spawn('sh', ['-c', FEW, process.execPath, PROGRAM, file, `${startMs}`, `${stopMs}`]);
    stage.owns(() => child.kill('SIGKILL'));
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const said = (message: string): Record<string, unknown>[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
        .filter(({ msg }) => msg === message);
    return {
      child,
      setConduct,
      said,
      logged: (message: string, times = 1) => until(() => said(message).length >= times, LIMIT_MS),
    };
  }

  it('whose first worker says nothing in time does not start, and says so', async () => {
    const { child, said } = await pool('mute', 500);
    const [code] = await once(child, 'close');
    expect(code).to.equal(1);
    expect(JSON.stringify(said('the pool did not start'))).to.contain('it did not listen within 500 ms');
  });

  it('kills a later one that says nothing in time, and goes on trying', async () => {
    const { child, setConduct, said, logged } = await pool('good', 3_000);
    await logged('the workers have started');
    setConduct('mute');
    child.kill('SIGHUP');
    const words = 'the new worker did not start: the other workers keep running';
    await logged(words);
    expect(said(words)[0]).to.include({ signal: 'SIGKILL', detail: 'it did not listen within 3000 ms' });
    expect(said('a worker has ended')).to.deep.equal([]);
  });

  it('waits longer and longer before it has a worker followed that crashes again and again', async () => {
    const { said, logged } = await pool('crashing');
    await logged('a worker has ended', 8);
    const waits = said('a worker has ended').map(({ againInMs }) => Number(againInMs));
    expect(waits.sort((a, b) => a - b).slice(0, 6)).to.deep.equal([100, 100, 200, 200, 400, 400]);
    expect(said('a worker has ended')[0]).to.include({ level: 'error', exitCode: 3 });
  });

  it('does not give up a worker that serves for one that cannot reach its store', async () => {
    const { child, setConduct, said, logged } = await pool('good', 3_000);
    await logged('the workers have started');
    setConduct('without a store');
    child.kill('SIGHUP');
    const words = 'the new worker did not start: the other workers keep running';
    await logged(words);
    expect(said(words)[0]).to.include({ worker: 3, detail: 'it did not reach its store within 3000 ms' });
    setConduct('good');
    child.kill('SIGHUP');
    await logged('all workers have been replaced');
  });

  it('has a worker that the system could not start followed by another, and says why', async () => {
    const { child, said, logged } = await pool('good');
    await logged('the workers have started');
    const one = firstChildOf(child);
    child.kill('SIGUSR2');
    await logged('there is no room');
    process.kill(one, 'SIGKILL');
    await logged('a worker has ended', 3);
    expect(said('a worker has ended').at(-1)?.['detail']).to.match(/^spawn .* EMFILE$/);
    child.kill('SIGUSR2');
    await logged('there is room');
    child.kill('SIGHUP');
    await logged('all workers have been replaced');
  });

  it('bears with a start that fails at once, and not by an event: serves on, says why, and tries again', async () => {
    const { child, said, logged } = await pool('good');
    await logged('the workers have started');
    const one = firstChildOf(child);
    child.kill('SIGALRM');
    await logged('a start would fail');
    child.kill('SIGHUP');
    const words = 'the new worker did not start: the other workers keep running';
    await logged(words);
    expect(said(words)[0]).to.include({ level: 'error', detail: 'spawn E2BIG' });
    process.kill(one, 'SIGKILL');
    await logged('a worker has ended', 4);
    const waits = said('a worker has ended').map(({ detail, againInMs }) => [detail, againInMs]);
    expect(waits.slice(1, 4)).to.deep.equal([200, 400, 800].map((ms) => ['spawn E2BIG', ms]));
    child.kill('SIGALRM');
    await logged('a start would not fail');
    child.kill('SIGHUP');
    await logged('all workers have been replaced');
  });

  it('that cannot start any worker says so, and ends', async () => {
    const { child, said } = await pool('unstartable');
    const [code] = await once(child, 'close');
    expect(code).to.equal(1);
    expect(JSON.stringify(said('the pool did not start')))
      .to.contain('WORKER_FAILED')
      .and.to.contain('spawn E2BIG');
  });

  it('that gets the signal to stop before its first worker listens ends in order, and does not take it for a failure', async () => {
    const { child, said } = await pool('good');
    const children = () => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    await until(() => children() !== '', LIMIT_MS);
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).to.equal(0);
    expect(said('the pool did not start')).to.deep.equal([]);
  });

  it('kills those that do not end in time', async () => {
    const { child, logged } = await pool('deaf', START_MS, 500);
    await logged('the workers have started');
    child.kill('SIGTERM');
    // Their end is seen by that of the output, which they share.
    const [code] = await once(child, 'close');
    expect(code).to.equal(1);
  });
});

describe('the wait before a worker is followed', () => {
  it('doubles from a tenth of a second to half a minute, and begins anew after one that lived', () => {
    const backOff = new BackOff();
    const waits = Array.from({ length: 11 }, () => backOff.after(0));
    expect(waits).to.deep.equal([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    expect(backOff.after(59_999)).to.equal(30_000);
    expect(backOff.after(60_000)).to.equal(100);
    expect(backOff.after(1)).to.equal(200);
  });
});
