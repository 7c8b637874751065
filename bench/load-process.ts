// Owns the life of a process that makes load, and the questions that it is asked.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Load, Outcomes, Target } from './load.js';

const PROGRAM = fileURLToPath(new URL('./load.js', import.meta.url));

export class LoadProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(target: Target): Promise<LoadProcess> {
    const child = fork(PROGRAM, { serialization: 'advanced' });
    const orphaned = () => child.kill('SIGKILL');
    process.once('exit', orphaned);
    child.once('exit', () => process.off('exit', orphaned));
    child.send(target);
    await once(child, 'message');
    return new LoadProcess(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async run(load: Load): Promise<Outcomes> {
    const ended = once(this.#child, 'message');
    this.#child.send(load);
    const [outcomes] = (await ended) as [Outcomes];
    return outcomes;
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
