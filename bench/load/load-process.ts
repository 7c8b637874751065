// The life of a process that makes load, and the questions that it is asked.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endAtExit } from '../../test/support/children.js';
import type { Load, Outcomes, Target } from './load.js';
import type { Work } from './work.js';

const PROGRAM = fileURLToPath(new URL('./load.js', import.meta.url));

export class LoadProcess {
  readonly #child: ChildProcess;
  readonly #gone: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = once(child, 'exit').then(([code]) => {
      throw new Error(`the process that makes load ended (exit code ${code}): what it printed says why`);
    });
    this.#gone.catch(() => {});
  }

  static async start(target: Target): Promise<LoadProcess> {
    const child = fork(PROGRAM, { serialization: 'advanced' });
    endAtExit(child);
    const load = new LoadProcess(child);
    await load.#ask(target);
    return load;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Takes over what the loads to come are made of. */
  async take(work: Work): Promise<void> {
    await this.#ask(work);
  }

  async run(load: Load): Promise<Outcomes> {
    return (await this.#ask(load)) as Outcomes;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone.catch(() => {});
  }

  async #ask(what: Target | Work | Load): Promise<unknown> {
    const answered = once(this.#child, 'message');
    this.#child.send(what);
    const [answer] = await Promise.race([answered, this.#gone]);
    return answer;
  }
}
