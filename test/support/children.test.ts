// Tests that no child outlives its process, and that many of them take one listener.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { endAtExit } from './children.js';

const CHILDREN = new URL('./children.js', import.meta.url).href;
/** Node warns of more listeners. */
const MOST_LISTENERS = 10;

/** Ends by itself if a test fails to end it. */
const sleeper = (): ChildProcess => spawn('sleep', ['20'], { stdio: 'ignore' });

describe('children of a test process', () => {
  it('have one listener for its exit, however many there are', async () => {
    const before = process.listenerCount('exit');
    const children = Array.from({ length: MOST_LISTENERS + 1 }, sleeper);
    for (const child of children) endAtExit(child);
    expect(process.listenerCount('exit')).to.equal(before);
    const gone = children.map((child) => once(child, 'exit'));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(gone);
  });

  it('end when it exits', async () => {
    const program = `
      const { spawn } = await import('node:child_process');
      const { endAtExit } = await import(${JSON.stringify(CHILDREN)});
      const children = [1, 2].map(() => spawn('sleep', ['20'], { stdio: ['ignore', 'inherit', 'ignore'] }));
      for (const child of children) endAtExit(child);
      process.exit();`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(parent, 'exit');
    // The children hold the write end of the pipe: it ends when the last of them has ended.
    const startMs = performance.now();
    for await (const _ of parent.stdout) {
    }
    expect(await exited).to.deep.equal([0, null]);
    expect(performance.now() - startMs).to.be.below(15_000);
  });
});
